-- Kubernetes clusters beside Docker Engines. What signs in there is sealed for workers; see src/seal.

ALTER TABLE clusters
    DROP CONSTRAINT clusters_kind_check,
    ADD CONSTRAINT clusters_kind_check CHECK (kind IN ('docker', 'kubernetes')),
    ADD COLUMN credentials jsonb,
    -- Whether whoever answers must prove to be the cluster.
    ADD COLUMN tls_verify boolean NOT NULL DEFAULT true,
    ADD COLUMN namespace_manage text NOT NULL DEFAULT 'never'
        CHECK (namespace_manage IN ('never', 'create')),
    ADD COLUMN hierarchical_namespaces boolean NOT NULL DEFAULT false,
    ADD CHECK (kind = 'kubernetes' OR (credentials IS NULL AND tls_verify
        AND namespace_manage = 'never' AND NOT hierarchical_namespaces));

-- What a release lacks there is deleted: one place has one entry.
CREATE UNIQUE INDEX clusters_place ON clusters (environment_id, address, namespace)
    WHERE kind = 'kubernetes';
