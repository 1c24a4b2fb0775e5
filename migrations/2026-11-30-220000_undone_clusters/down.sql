ALTER TABLE releases DROP COLUMN undone;
