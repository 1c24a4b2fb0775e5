ALTER TABLE clusters DROP COLUMN adoption;
