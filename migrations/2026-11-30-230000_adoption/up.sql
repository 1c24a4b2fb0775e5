-- Whether the next deployments take over what others have made in a cluster, until one of them is live.

ALTER TABLE clusters
    ADD COLUMN adoption text NOT NULL DEFAULT 'never' CHECK (adoption IN ('never', 'next')),
    ADD CHECK (kind = 'kubernetes' OR adoption = 'never');
