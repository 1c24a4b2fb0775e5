//! Histories of which a page shows a part.

use std::ops::RangeInclusive;

use pierhead::domain::history::{EntryKind, NewEntry, Step};
use pierhead::domain::job::Outcome;

use crate::support::http::{body, status};
use crate::support::rows::end;
use crate::web::{Pages, line, page_of};

/// The numbers of the rows that a page shows.
fn shown(page: &str) -> Vec<i64> {
    let ids = page.split("<li id=\"e").skip(1);
    ids.map(|rest| rest.split_once('"').unwrap().0.parse().unwrap()).collect()
}

/// The address of the link that says this.
fn link(page: &str, says: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\">{says}</a>"))?;
    let address = before.rsplit_once("href=\"").unwrap().1;
    Some(address.replace("&amp;", "&"))
}

fn all(rows: RangeInclusive<i64>) -> Vec<i64> {
    rows.collect()
}

#[tokio::test]
async fn a_long_history_is_shown_a_thousand_rows_at_a_time() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.claim(&job).await;
    for hundred in 0..25 {
        let rows = (1..=100).map(|n| line(&format!("line {}", hundred * 100 + n))).collect();
        pages.shop.say(&job, rows).await;
    }
    let newest = pages.get(&page_of(&job)).await;
    assert_eq!(shown(&newest), all(1501..=2500));
    assert!(newest.contains(&format!("data-follow=\"/jobs/{}/history?after=2500\"", job.id)));
    assert_eq!(link(&newest, "Later rows"), None);
    let middle = pages.get(&link(&newest, "Earlier rows").unwrap()).await;
    assert_eq!(shown(&middle), all(501..=1500));
    assert!(!middle.contains("data-follow"), "what comes belongs behind the newest rows");
    let first = pages.get(&link(&middle, "Earlier rows").unwrap()).await;
    assert_eq!(shown(&first), all(1..=500));
    assert!(first.contains("<p class=\"leaf\" id=\"earlier\" hidden>"), "{first}");
    let later = pages.get(&link(&first, "Later rows").unwrap()).await;
    assert_eq!(shown(&later), shown(&middle));
    let later = pages.get(&link(&later, "Later rows").unwrap()).await;
    assert_eq!(shown(&later), shown(&newest));
    // Whatever somebody writes there: rows, or none of them.
    for (asked, count) in
        [("before=1", 0), ("before=-5", 0), ("before=%00", 1000), ("after=x", 1000)]
    {
        let page = pages.get(&format!("{}?{asked}", page_of(&job))).await;
        assert_eq!((status(&page), shown(&page).len()), (200, count), "{asked}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn rows_are_found_by_what_they_say() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.claim(&job).await;
    let rows = (1..=700).map(|n| line(&format!("line {n}"))).collect();
    pages.shop.say(&job, rows).await;
    let red = "npm \u{1b}[31mERR\u{1b}[0mOR: 100% <b> \\ of it_all";
    pages
        .shop
        .say(&job, vec![line(red), NewEntry::new(Step::Image, EntryKind::Result, "no error")])
        .await;
    let ask = async |q: &str| pages.get(&format!("{}?q={q}", page_of(&job))).await;
    assert_eq!(shown(&ask("error").await), [701, 702], "neither capitals nor colours matter");
    for literal in ["100%25%20%3Cb%3E", "%5C", "it_"] {
        assert_eq!(shown(&ask(literal).await), [701], "{literal} is no pattern");
    }
    for nothing in ["'%20OR%20''%3D'", "%3Cscript%3E"] {
        let page = ask(nothing).await;
        assert!(page.contains("No row says that.") && !page.contains("<script>"), "{page}");
    }
    assert_eq!(shown(&ask("%20%00").await).len(), 702, "nothing is asked for");
    let found = ask("line%20350").await;
    let place = link(&found, "row 350").unwrap();
    assert!(place.ends_with("#e350"), "{place}");
    let around = pages.get(place.split_once('#').unwrap().0).await;
    assert_eq!(shown(&around), all(1..=449));
    pages.stop().await;
}

#[tokio::test]
async fn a_search_that_finds_much_goes_on_where_it_was() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.claim(&job).await;
    pages.shop.say(&job, (1..=1200).map(|_| line("a & b")).collect()).await;
    let first = pages.get(&format!("{}?q=a+%26+b", page_of(&job))).await;
    assert_eq!(shown(&first), all(1..=1000));
    let more = pages.get(&link(&first, "More that say it").unwrap()).await;
    assert_eq!(shown(&more), all(1001..=1200));
    assert_eq!(link(&more, "More that say it"), None);
    pages.stop().await;
}

#[tokio::test]
async fn output_of_what_went_well_is_folded_away() {
    let pages = Pages::start().await;
    for (outcome, is_open) in [(Outcome::Failed, true), (Outcome::Live, false)] {
        let job = pages.shop.job(outcome.as_str()).await;
        if outcome == Outcome::Live {
            pages.shop.claim(&job).await;
        }
        pages.shop.say(&job, (1..=30).map(|n| line(&format!("line {n}"))).collect()).await;
        let running = pages.get(&page_of(&job)).await;
        assert!(running.contains("<details open><summary>"), "{running}");
        let last = NewEntry::end(Step::Image, "over", None, end(outcome, ""));
        pages.shop.end(&job, last).await;
        let ended = pages.get(&page_of(&job)).await;
        assert_eq!(ended.contains("<details open><summary>"), is_open, "{ended}");
        assert!(ended.contains("output (<span class=\"count\">30</span>)"), "{ended}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn a_history_is_had_as_a_text_file() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.claim(&job).await;
    pages.shop.say(&job, vec![NewEntry::new(Step::Image, EntryKind::Step, "")]).await;
    let rows = (1..=1500).map(|n| line(&format!("\u{1b}[32mline\u{1b}[0m {n} <b>"))).collect();
    pages.shop.say(&job, rows).await;
    let answer = pages.get(&format!("{}/log", page_of(&job))).await;
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("content-type: text/plain; charset=utf-8\r\n"), "{answer}");
    let name = format!("content-disposition: attachment; filename=\"job-{}.log\"\r\n", job.number);
    assert!(answer.contains(&name), "{answer}");
    let lines: Vec<_> = body(&answer).lines().filter(|line| line.contains(" image ")).collect();
    assert_eq!(lines.len(), 1500, "a step without words is no line");
    let said = lines.iter().map(|line| line.split_once("Z image     ").unwrap().1);
    let expected: Vec<_> = (1..=1500).map(|n| format!("line {n} <b>")).collect();
    assert_eq!(said.collect::<Vec<_>>(), expected);
    pages.stop().await;
}
