DROP TABLE source_tips;
DROP TABLE source_checks;
DROP TABLE project_sources;
