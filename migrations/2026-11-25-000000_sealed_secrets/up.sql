-- Values that projects keep with the server. What is secret is sealed for workers; see src/seal.

CREATE TABLE variables (
    id             uuid PRIMARY KEY,
    project_id     uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    -- Null: every environment has it.
    environment_id uuid REFERENCES environments ON DELETE CASCADE,
    name           text NOT NULL CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]*$' AND name !~ '^JOB_'),
    plain          text CHECK (octet_length(plain) <= 32768),
    sealed         jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (project_id, environment_id, name),
    CHECK ((plain IS NULL) <> (sealed IS NULL))
);
CREATE INDEX variables_environment ON variables (environment_id);

-- Where a project's images are pushed to.

CREATE TABLE registries (
    project_id uuid PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    address    text NOT NULL CHECK (address ~ '^[^/[:space:]]+(/[^[:space:]]+)?$'),
    -- Null: without TLS on this machine only.
    plain_http boolean,
    username   text CHECK (username <> ''),
    password   jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((username IS NULL) = (password IS NULL))
);
