-- What accounts may use, deletions that can be taken back, and who changed what.

ALTER TABLE users ADD COLUMN deleted_at timestamptz;

ALTER TABLE accounts
    -- Where new targets of the account deploy to; null: the account's name.
    ADD COLUMN namespace text CHECK (namespace ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    ADD COLUMN namespace_prefix text NOT NULL DEFAULT ''
        CHECK (namespace_prefix ~ '^([a-z0-9][a-z0-9-]{0,29})?$'),
    ADD CHECK (length(namespace_prefix) + length(coalesce(namespace, slug)) <= 63);

-- What all containers of one deployment may use together.
CREATE TABLE account_quotas (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind ~ '^[a-z0-9][a-z0-9./-]{0,62}$'),
    category   text NOT NULL CHECK (category IN ('compute', 'memory')),
    capacity   text NOT NULL CHECK (capacity ~ '^[0-9]' AND capacity !~ '%'),
    -- Null: the capacity.
    requires   text CHECK (requires ~ '^[0-9]' AND requires !~ '%'),
    PRIMARY KEY (account_id, kind)
);

-- A deleted project keeps its rows, by which what it deployed goes on serving; its name is free.
ALTER TABLE projects
    ADD COLUMN deleted_at timestamptz,
    DROP CONSTRAINT projects_account_id_slug_key;
CREATE UNIQUE INDEX projects_name ON projects (account_id, slug) WHERE deleted_at IS NULL;

-- Repositories to be removed, whether their project is still known or not.
CREATE TABLE repository_trash (
    project_id uuid PRIMARY KEY,
    since      timestamptz NOT NULL DEFAULT now()
);

-- Who changed what, when and from where. It names things that may be gone, so nothing is referred to.
CREATE TABLE audit (
    id      uuid PRIMARY KEY,
    date    timestamptz NOT NULL DEFAULT clock_timestamp(),
    door    text NOT NULL CHECK (door IN ('admin', 'ssh')),
    who     text NOT NULL CHECK (who <> ''),
    user_id uuid,
    -- The fingerprint of the key that signed.
    key     text,
    origin  text NOT NULL,
    deed    text NOT NULL CHECK (deed ~ '^[a-z]+(-[a-z]+)*$'),
    subject text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_date ON audit (date, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the table % is only appended to', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_is_appended_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Also where triggers are off, as for a replica.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_appended_to;
