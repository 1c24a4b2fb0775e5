//! Every request as somebody may send it.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn parse(bytes: &[u8]) -> Result<Request, BadRequest> {
    super::parse(bytes, "-p 2222 git@example.org")
}

fn git(text: &str) -> Result<String, BadRequest> {
    match parse(text.as_bytes())? {
        Request::Git(service, project) => Ok(format!("{service:?} {project}")),
        request @ (Request::Ours(_) | Request::Help | Request::HelpOn(_)) => {
            Ok(format!("{request:?}"))
        }
    }
}

#[test]
fn git_names_a_project_in_many_ways() {
    for path in ["'acme/shop'", "'/acme/shop.git'", "'~/acme/shop/'", "acme/shop.git"] {
        assert_eq!(git(&format!("git-receive-pack {path}")).unwrap(), "ReceivePack acme/shop");
    }
    assert_eq!(git("git upload-pack 'shop'").unwrap(), "UploadPack shop");
}

#[test]
fn a_path_that_names_no_project_is_not_found() {
    for path in
        ["''", "'../x'", "'acme/../x'", "'/etc/pass.wd'", "'a'b", "'a'\\''b'", "'a", "a b", "'A'"]
    {
        assert_eq!(git(&format!("git-receive-pack {path}")), Err(BadRequest::Path), "{path}");
    }
}

#[test]
fn everything_else_is_unknown() {
    for text in [
        "",
        "sh",
        "git-upload-archive 'acme/shop'",
        "git-receive-pack",
        "scp -t x",
        "echo whoami;",
        "help nothing",
        "whoami\n",
        "\u{1b}[2J",
    ] {
        assert_eq!(git(text), Err(BadRequest::Unknown), "{text:?}");
    }
    assert_eq!(parse(b"\xff"), Err(BadRequest::Unknown));
    assert_eq!(parse(&[b'a'; 5_000]), Err(BadRequest::Unknown));
}

#[test]
fn our_commands_are_read_by_clap() {
    let Ok(Request::Ours(ours)) = parse(b"logs 42 --step image --json") else { panic!() };
    assert!(ours.json);
    let step = Some(Step::Image);
    assert_eq!(ours.command, Command::Logs { job: JobNumber(42), step });
    assert!(matches!(parse(b"--json whoami"), Ok(Request::Ours(_))));
}

#[test]
fn who_asks_for_help_is_told_what_to_type() {
    assert_eq!(parse(b"help"), Ok(Request::Help));
    assert_eq!(parse(b"--help"), Ok(Request::Help));
    let Ok(Request::HelpOn(text)) = parse(b"help cancel") else { panic!() };
    assert_snapshot!(text, @"
    End a deployment

    Usage: ssh -p 2222 git@example.org cancel [OPTIONS] <JOB>

    Arguments:
      <JOB>  The job's number

    Options:
          --json  Answer with JSON
      -h, --help  Print help
    ");
    assert_eq!(parse(b"cancel --help"), Ok(Request::HelpOn(text)));
}

#[test]
fn bad_words_are_told_with_the_good_ones() {
    let said = |words: &str| match parse(words.as_bytes()) {
        Err(BadRequest::Usage(text)) => format!("$ {words}\n{text}"),
        other => panic!("{other:?}"),
    };
    let words = ["logs 1 --step nope", "logs x", "cancel"];
    assert_snapshot!(words.map(said).join("\n"), @"
    $ logs 1 --step nope
    invalid value 'nope' for '--step <STEP>'
      [possible values: job, queue, checkout, check, hooks, image, release, plan, rollout, route, ref, live, undone, help, ended]

      tip: a similar value exists: 'undone'

    `ssh -p 2222 git@example.org help` lists what there is.

    $ logs x
    invalid value 'x' for '<JOB>': invalid digit found in string

    `ssh -p 2222 git@example.org help` lists what there is.

    $ cancel
    the following required arguments were not provided:
      <JOB>

    Usage: ssh -p 2222 git@example.org cancel <JOB>

    `ssh -p 2222 git@example.org help` lists what there is.
    ");
}

#[test]
fn the_greeting_names_every_command() {
    let command = Ours::command();
    let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let greeted: Vec<_> = USES.iter().map(|(usage, _)| usage.split(' ').next().unwrap()).collect();
    assert_eq!(names, greeted);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        drop(parse(&bytes));
    }

    #[test]
    fn no_quotes_make_it_panic(path in "['\\\\!a/~. ]*") {
        drop(parse(format!("git-receive-pack {path}").as_bytes()));
    }
}
