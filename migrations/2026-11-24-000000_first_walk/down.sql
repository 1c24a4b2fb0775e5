ALTER TABLE environments DROP COLUMN live_release;
DROP TABLE outbox, routers, route_state, routes, releases, history, job_runs, push_refs, jobs, pushes,
    deploy_rules, clusters, environments, projects, account_members, accounts, ssh_keys, users;
DROP SEQUENCE job_numbers;
