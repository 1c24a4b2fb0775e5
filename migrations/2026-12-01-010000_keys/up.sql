-- Keys that end, and keys for less than their owner may do.

ALTER TABLE ssh_keys
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN access text NOT NULL DEFAULT 'deploy' CHECK (access IN ('read', 'deploy')),
    -- False: for the projects in ssh_key_projects only, also when none of them is left.
    ADD COLUMN all_projects boolean NOT NULL DEFAULT true,
    ADD COLUMN last_used_from text;

CREATE TABLE ssh_key_projects (
    key_id     uuid NOT NULL REFERENCES ssh_keys ON DELETE CASCADE,
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    PRIMARY KEY (key_id, project_id)
);
CREATE INDEX ssh_key_projects_project ON ssh_key_projects (project_id);
