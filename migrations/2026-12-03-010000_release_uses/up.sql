-- What the containers of a release use of each resource, all together, so that it can be held against what the
-- account grants. Releases of before say nothing of it.
ALTER TABLE releases ADD COLUMN uses jsonb NOT NULL DEFAULT '{}';
