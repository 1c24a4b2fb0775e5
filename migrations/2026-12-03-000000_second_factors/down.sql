DROP TABLE awaited_codes;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
