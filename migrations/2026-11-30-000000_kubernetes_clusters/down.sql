DELETE FROM clusters WHERE kind = 'kubernetes';

DROP INDEX clusters_place;

ALTER TABLE clusters
    DROP COLUMN credentials,
    DROP COLUMN tls_verify,
    DROP COLUMN namespace_manage,
    DROP COLUMN hierarchical_namespaces,
    DROP CONSTRAINT clusters_kind_check,
    ADD CONSTRAINT clusters_kind_check CHECK (kind IN ('docker'));
