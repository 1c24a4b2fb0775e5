DROP TABLE registries;
DROP TABLE variables;
