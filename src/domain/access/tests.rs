//! Every right, for everybody.

use std::fmt::Write as _;

use insta::assert_snapshot;
use uuid::Uuid;

use super::*;

fn who(standing: Standing) -> Who {
    let user = Uuid::from_u128(1).into();
    Who { user, standing, bar: None, scope: KeyScope::FREE }
}

fn shop(role: Option<Role>) -> What {
    What::Project { id: Uuid::from_u128(2).into(), account: Uuid::from_u128(4).into(), role }
}

fn acme(role: Option<Role>) -> What {
    What::Account { id: Uuid::from_u128(4).into(), role }
}

fn word(decision: Result<(), Denied>) -> &'static str {
    match decision {
        Ok(()) => "yes",
        Err(Denied::Unseen) => "unseen",
        Err(Denied::Forbidden) => "no",
        Err(Denied::Key) => "key",
        Err(Denied::Barred(_)) => "barred",
    }
}

#[test]
fn every_right_is_decided_for_everybody() {
    let (person, admin) = (who(Standing::Person), who(Standing::Administrator));
    let scope = KeyScope { access: KeyAccess::Read, ..KeyScope::FREE };
    let reads = Who { scope, ..admin.clone() };
    let elsewhere = Some(vec![Uuid::from_u128(3).into()]);
    let scope = KeyScope { projects: elsewhere, ..KeyScope::FREE };
    let elsewhere = Who { scope, ..admin.clone() };
    let mut table = format!(
        "{:<17}oneself stranger viewer developer owner administrator read-key other-key\n",
        ""
    );
    let is_elsewhere =
        |verb: &&Verb| matches!(verb.subject(), Subject::Account | Subject::Installation);
    for verb in Verb::ALL.iter().filter(|verb| !is_elsewhere(verb)) {
        let of = |who: &Who, what| word(authorise(who, *verb, what));
        writeln!(
            table,
            "{verb:<17}{:<8}{:<9}{:<7}{:<10}{:<6}{:<14}{:<9}{}",
            of(&person, What::Oneself),
            of(&person, shop(None)),
            of(&person, shop(Some(Role::Viewer))),
            of(&person, shop(Some(Role::Developer))),
            of(&person, shop(Some(Role::Owner))),
            of(&admin, shop(None)),
            of(&reads, shop(None)),
            of(&elsewhere, shop(Some(Role::Owner))),
        )
        .unwrap();
    }
    assert_snapshot!(table, @"
                     oneself stranger viewer developer owner administrator read-key other-key
    identify         yes     no       no     no        no    no            no       unseen
    list-projects    yes     no       no     no        no    no            no       unseen
    list-keys        yes     no       no     no        no    no            no       unseen
    change-keys      yes     no       no     no        no    no            no       unseen
    list-tokens      yes     no       no     no        no    no            no       unseen
    change-tokens    yes     no       no     no        no    no            no       unseen
    change-password  yes     no       no     no        no    no            no       unseen
    clone            no      unseen   yes    yes       yes   yes           yes      unseen
    look             no      unseen   yes    yes       yes   yes           yes      unseen
    read-variables   no      unseen   yes    yes       yes   yes           yes      unseen
    push             no      unseen   no     yes       yes   yes           key      unseen
    deploy           no      unseen   no     yes       yes   yes           key      unseen
    cancel           no      unseen   no     yes       yes   yes           key      unseen
    change-variables no      unseen   no     yes       yes   yes           key      unseen
    change-project   no      unseen   no     no        yes   yes           key      unseen
    change-targets   no      unseen   no     no        no    yes           key      unseen
    ");
}

#[test]
fn rights_of_accounts_and_of_all_are_decided_for_everybody() {
    let (person, admin) = (who(Standing::Person), who(Standing::Administrator));
    let of = |who: &Who, scope: &KeyScope| Who { scope: scope.clone(), ..who.clone() };
    let reads = KeyScope { access: KeyAccess::Read, ..KeyScope::FREE };
    let account = |id| KeyScope { account: Some(Uuid::from_u128(id).into()), ..KeyScope::FREE };
    let project = KeyScope { projects: Some(vec![Uuid::from_u128(2).into()]), ..reads.clone() };
    let (its, other) = (account(4), account(5));
    let owner = Some(Role::Owner);
    let mut table = format!(
        "{:<16}stranger viewer developer owner administrator reads its    other  project\n",
        ""
    );
    for verb in Verb::ALL {
        let word = |who: &Who, what| word(authorise(who, *verb, what));
        let (what, all): (&dyn Fn(Option<Role>) -> What, _) = match verb.subject() {
            Subject::Account => (&acme, Some(&person)),
            Subject::Installation => (&|_| What::Installation, None),
            Subject::Oneself | Subject::Project => continue,
        };
        let scoped = all.unwrap_or(&admin);
        writeln!(
            table,
            "{verb:<16}{:<9}{:<7}{:<10}{:<6}{:<14}{:<6}{:<7}{:<7}{}",
            word(&person, what(None)),
            word(&person, what(Some(Role::Viewer))),
            word(&person, what(Some(Role::Developer))),
            word(&person, what(owner)),
            word(&admin, what(None)),
            word(&of(scoped, &reads), what(owner)),
            word(&of(scoped, &its), what(owner)),
            word(&of(scoped, &other), what(owner)),
            word(&of(scoped, &project), what(owner)),
        )
        .unwrap();
    }
    assert_snapshot!(table, @"
                    stranger viewer developer owner administrator reads its    other  project
    look-at-account unseen   yes    yes       yes   yes           yes   yes    unseen unseen
    change-members  unseen   no     no        yes   yes           key   yes    unseen unseen
    create-project  unseen   no     no        yes   yes           key   yes    unseen unseen
    inspect         no       no     no        no    yes           yes   key    key    key
    administrate    no       no     no        no    yes           key   key    key    key
    ");
}

#[test]
fn a_right_is_wanted_of_one_kind_of_thing() {
    let admin = who(Standing::Administrator);
    for verb in Verb::ALL {
        let all = [
            (Subject::Oneself, What::Oneself),
            (Subject::Project, shop(Some(Role::Owner))),
            (Subject::Account, acme(Some(Role::Owner))),
            (Subject::Installation, What::Installation),
        ];
        for (subject, what) in all {
            let may = authorise(&admin, *verb, what).is_ok();
            assert_eq!(may, verb.subject() == subject, "{verb} of {subject:?}");
        }
    }
}

#[test]
fn who_is_barred_may_do_nothing_whatever_they_may_else() {
    let bars = [Bar::UserDisabled, Bar::UserDeleted, Bar::KeyExpired, Bar::TokenExpired];
    for bar in bars {
        let barred = Who { bar: Some(bar), ..who(Standing::Administrator) };
        for verb in Verb::ALL {
            for what in [What::Oneself, shop(Some(Role::Owner)), What::Installation] {
                assert_eq!(authorise(&barred, *verb, what), Err(Denied::Barred(bar)));
            }
        }
    }
}

#[test]
fn a_key_for_less_makes_none_for_more() {
    let reads = KeyScope { access: KeyAccess::Read, ..KeyScope::FREE };
    let one = KeyScope { projects: Some(Vec::new()), ..KeyScope::FREE };
    let account = KeyScope { account: Some(Uuid::from_u128(4).into()), ..KeyScope::FREE };
    for scope in [reads, one, account] {
        let who = Who { scope, ..who(Standing::Administrator) };
        for verb in [Verb::ChangeKeys, Verb::ChangeTokens, Verb::ChangePassword] {
            assert_eq!(authorise(&who, verb, What::Oneself), Err(Denied::Key));
        }
        assert_eq!(authorise(&who, Verb::Identify, What::Oneself), Ok(()));
    }
}
