-- What became of each target when a failed release was taken back, by the target's name.

ALTER TABLE releases
    ADD COLUMN undone jsonb CHECK (jsonb_typeof(undone) = 'object');
