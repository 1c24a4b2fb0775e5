//! The tables as diesel sees them; mirrors `migrations/`, and a test compares the two.
//!
//! It is long because it is one table of all tables.

diesel::table! {
    account_members (account_id, user_id) {
        account_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    account_quotas (account_id, kind) {
        account_id -> Uuid,
        kind -> Text,
        category -> Text,
        capacity -> Text,
        requires -> Nullable<Text>,
    }
}

diesel::table! {
    accounts (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        suspended_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        namespace -> Nullable<Text>,
        namespace_prefix -> Text,
    }
}

diesel::table! {
    answers (id) {
        id -> Int8,
        question_id -> Uuid,
        told -> Jsonb,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        hash -> Text,
        access -> Text,
        account_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        last_used_from -> Nullable<Text>,
    }
}

diesel::table! {
    audit (id) {
        id -> Uuid,
        date -> Timestamptz,
        door -> Text,
        who -> Text,
        user_id -> Nullable<Uuid>,
        key -> Nullable<Text>,
        origin -> Text,
        deed -> Text,
        subject -> Text,
        details -> Jsonb,
    }
}

diesel::table! {
    awaited_codes (id) {
        id -> Text,
        user_id -> Uuid,
        password_hash -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    clusters (id) {
        id -> Uuid,
        project_id -> Uuid,
        environment_id -> Uuid,
        name -> Text,
        kind -> Text,
        address -> Text,
        namespace -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        credentials -> Nullable<Jsonb>,
        tls_verify -> Bool,
        namespace_manage -> Text,
        hierarchical_namespaces -> Bool,
        adoption -> Text,
    }
}

diesel::table! {
    deploy_rules (id) {
        id -> Uuid,
        project_id -> Uuid,
        ref_pattern -> Text,
        environment_id -> Uuid,
        priority -> Int4,
        protected -> Bool,
        enabled -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    environments (id) {
        id -> Uuid,
        project_id -> Uuid,
        name -> Text,
        fence -> Int8,
        live_release -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    first_run (only) {
        only -> Bool,
        token -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    history (job_id, seq) {
        job_id -> Uuid,
        seq -> Int8,
        attempt -> Int4,
        step -> Text,
        kind -> Text,
        text -> Text,
        date -> Timestamptz,
        extra -> Jsonb,
        batch -> Uuid,
    }
}

diesel::table! {
    job_runs (job_id, attempt) {
        job_id -> Uuid,
        attempt -> Int4,
        environment_id -> Uuid,
        worker -> Text,
        fence -> Int8,
        started_at -> Timestamptz,
        lease_until -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        number -> Int8,
        kind -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        environment_id -> Uuid,
        push_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        pusher -> Text,
        fingerprint -> Nullable<Text>,
        ref_name -> Nullable<Text>,
        old_oid -> Nullable<Text>,
        new_oid -> Nullable<Text>,
        subject -> Text,
        forced -> Bool,
        variables -> Jsonb,
        variables_hash -> Text,
        snapshot -> Jsonb,
        ref_moves -> Text,
        expected_tip -> Nullable<Text>,
        ref_result -> Nullable<Text>,
        fence -> Nullable<Int8>,
        applying_since -> Nullable<Timestamptz>,
        cancel_asked_at -> Nullable<Timestamptz>,
        cancel_asked_by -> Nullable<Text>,
        superseded_by -> Nullable<Uuid>,
        last_seq -> Int8,
        reason -> Text,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        source -> Nullable<Int4>,
    }
}

diesel::table! {
    outbox (id) {
        id -> Int8,
        job_id -> Uuid,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        tries -> Int4,
    }
}

diesel::table! {
    project_sources (project_id) {
        project_id -> Uuid,
        url -> Text,
        username -> Text,
        secret -> Nullable<Jsonb>,
        public_key -> Nullable<Text>,
        host_keys -> Text,
        check_every -> Nullable<Int4>,
        next_check_at -> Nullable<Timestamptz>,
        checked_at -> Nullable<Timestamptz>,
        failures -> Int4,
        fault -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    projects (id) {
        id -> Uuid,
        account_id -> Uuid,
        slug -> Text,
        name -> Text,
        prefix -> Text,
        default_branch -> Text,
        suspended_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    push_refs (push_id, ref_name) {
        push_id -> Uuid,
        ref_name -> Text,
        old_oid -> Nullable<Text>,
        new_oid -> Nullable<Text>,
        decision -> Text,
        reason -> Text,
        job_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    pushes (id) {
        id -> Uuid,
        project_id -> Uuid,
        user_id -> Nullable<Uuid>,
        fingerprint -> Text,
        received_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        exit_code -> Nullable<Int2>,
    }
}

diesel::table! {
    questions (id) {
        id -> Uuid,
        environment_id -> Uuid,
        asked -> Jsonb,
        asked_at -> Timestamptz,
        wanted_until -> Timestamptz,
        worker -> Nullable<Text>,
        seen_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    recovery_codes (user_id, hash) {
        user_id -> Uuid,
        hash -> Text,
    }
}

diesel::table! {
    registries (project_id) {
        project_id -> Uuid,
        address -> Text,
        plain_http -> Nullable<Bool>,
        username -> Nullable<Text>,
        password -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    releases (id) {
        id -> Uuid,
        environment_id -> Uuid,
        number -> Int4,
        state -> Text,
        job_id -> Uuid,
        fence -> Int8,
        commit_oid -> Text,
        model -> Jsonb,
        images -> Jsonb,
        variables -> Jsonb,
        objects -> Jsonb,
        created_at -> Timestamptz,
        live_at -> Nullable<Timestamptz>,
        undone -> Nullable<Jsonb>,
        source -> Nullable<Int4>,
        uses -> Jsonb,
    }
}

diesel::table! {
    repository_trash (project_id) {
        project_id -> Uuid,
        since -> Timestamptz,
    }
}

diesel::table! {
    route_state (only) {
        only -> Bool,
        version -> Int8,
    }
}

diesel::table! {
    routers (id) {
        id -> Text,
        version -> Int8,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    routes (host, path) {
        host -> Text,
        path -> Text,
        environment_id -> Uuid,
        release_id -> Uuid,
        upstreams -> Jsonb,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> Uuid,
        sealed -> Text,
        confirmed_at -> Nullable<Timestamptz>,
        last_step -> Int8,
    }
}

diesel::table! {
    sign_in_tries (whose) {
        whose -> Text,
        tries -> Int4,
        since -> Timestamptz,
    }
}

diesel::table! {
    source_checks (id) {
        id -> Uuid,
        project_id -> Uuid,
        purpose -> Text,
        user_id -> Nullable<Uuid>,
        asked_by -> Text,
        fingerprint -> Text,
        asked_at -> Timestamptz,
        worker -> Nullable<Text>,
        lease_until -> Nullable<Timestamptz>,
        attempt -> Int4,
        ended_at -> Nullable<Timestamptz>,
        fault -> Nullable<Text>,
        found -> Jsonb,
    }
}

diesel::table! {
    source_tips (project_id, ref_name) {
        project_id -> Uuid,
        ref_name -> Text,
        oid -> Text,
        environment_id -> Uuid,
        job_id -> Nullable<Uuid>,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    ssh_key_projects (key_id, project_id) {
        key_id -> Uuid,
        project_id -> Uuid,
    }
}

diesel::table! {
    ssh_keys (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        algorithm -> Text,
        public_key -> Text,
        fingerprint -> Text,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        access -> Text,
        all_projects -> Bool,
        last_used_from -> Nullable<Text>,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        password_once -> Bool,
        administrator -> Bool,
        disabled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    variables (id) {
        id -> Uuid,
        project_id -> Uuid,
        environment_id -> Nullable<Uuid>,
        name -> Text,
        plain -> Nullable<Text>,
        sealed -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    web_sessions (id) {
        id -> Text,
        user_id -> Uuid,
        origin -> Text,
        created_at -> Timestamptz,
        seen_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::joinable!(account_members -> accounts (account_id));
diesel::joinable!(account_members -> users (user_id));
diesel::joinable!(account_quotas -> accounts (account_id));
diesel::joinable!(api_tokens -> accounts (account_id));
diesel::joinable!(api_tokens -> projects (project_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(awaited_codes -> users (user_id));
diesel::joinable!(clusters -> environments (environment_id));
diesel::joinable!(deploy_rules -> projects (project_id));
diesel::joinable!(environments -> projects (project_id));
diesel::joinable!(jobs -> environments (environment_id));
diesel::joinable!(project_sources -> projects (project_id));
diesel::joinable!(projects -> accounts (account_id));
diesel::joinable!(recovery_codes -> second_factors (user_id));
diesel::joinable!(releases -> jobs (job_id));
diesel::joinable!(routes -> environments (environment_id));
diesel::joinable!(second_factors -> users (user_id));
diesel::joinable!(source_tips -> jobs (job_id));
diesel::joinable!(ssh_key_projects -> projects (project_id));
diesel::joinable!(ssh_keys -> users (user_id));
diesel::joinable!(web_sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    account_members,
    account_quotas,
    accounts,
    answers,
    api_tokens,
    audit,
    awaited_codes,
    clusters,
    deploy_rules,
    environments,
    first_run,
    history,
    job_runs,
    jobs,
    outbox,
    project_sources,
    projects,
    push_refs,
    pushes,
    questions,
    recovery_codes,
    registries,
    releases,
    repository_trash,
    route_state,
    routers,
    routes,
    second_factors,
    sign_in_tries,
    source_checks,
    source_tips,
    ssh_key_projects,
    ssh_keys,
    users,
    variables,
    web_sessions,
);
