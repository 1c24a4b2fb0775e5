//! Text with terminal colours, as HTML that can do nothing but show it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Whether addresses in a text can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// In what Pierhead says itself.
    Yes,
    /// Not in what foreign programs print.
    No,
}

/// Attributes by the parameter that sets them and the one that takes them away, as CSS classes.
const ATTRIBUTES: [(u16, u16, &str); 6] = [
    (1, 22, "bold"),
    (2, 22, "dim"),
    (3, 23, "italic"),
    (4, 24, "underline"),
    (7, 27, "inverse"),
    (9, 29, "strike"),
];

/// The sixteen colours that have a class, as terminals show them.
const PALETTE: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// Shows a text: colours become spans with classes, everything else is escaped.
pub(super) fn html(text: &str, links: Links) -> String {
    let mut html = String::with_capacity(text.len());
    let mut style = Style::default();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find('\u{1b}').unwrap_or(rest.len());
        let (shown, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        push_span(&mut html, &style.classes(), shown, links);
        rest = match colour_sequence(after) {
            Some((parameters, after)) => {
                style.apply(parameters);
                after
            }
            // No colour: only the escape itself goes, and what follows is text.
            None => after.strip_prefix('\u{1b}').unwrap_or_default(),
        };
    }
    html
}

/// A text without its colours.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((shown, _)) = rest.split_once('\u{1b}') {
        plain.push_str(shown);
        let after = rest.strip_prefix(shown).unwrap_or_default();
        rest = match colour_sequence(after) {
            Some((_, after)) => after,
            None => after.strip_prefix('\u{1b}').unwrap_or_default(),
        };
    }
    plain.push_str(rest);
    plain
}

/// Splits `ESC [ parameters m` off the begin of a text.
fn colour_sequence(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    let (parameters, rest) = body.split_at_checked(end)?;
    Some((parameters, rest.strip_prefix('m')?))
}

fn push_span(html: &mut String, classes: &str, text: &str, links: Links) {
    if text.is_empty() {
        return;
    }
    if !classes.is_empty() {
        html.push_str("<span class=\"");
        html.push_str(classes);
        html.push_str("\">");
    }
    match links {
        Links::Yes => push_linked(html, text),
        Links::No => push_escaped(html, text),
    }
    if !classes.is_empty() {
        html.push_str("</span>");
    }
}

fn push_linked(html: &mut String, text: &str) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            html.push(' ');
        }
        let is_address = ["http://", "https://"]
            .iter()
            .any(|scheme| word.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if is_address {
            html.push_str("<a rel=\"noreferrer nofollow\" href=\"");
            push_escaped(html, word);
            html.push_str("\">");
        }
        push_escaped(html, word);
        if is_address {
            html.push_str("</a>");
        }
    }
}

fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => {}
            c => html.push(c),
        }
    }
}

/// How text looks at some point.
#[derive(Debug, Default)]
struct Style {
    attributes: BTreeSet<&'static str>,
    foreground: Option<u8>,
    background: Option<u8>,
}

impl Style {
    fn classes(&self) -> String {
        let mut classes = self.attributes.iter().copied().collect::<Vec<_>>().join(" ");
        for (ground, colour) in [("fg", self.foreground), ("bg", self.background)] {
            if let Some(colour) = colour {
                let gap = if classes.is_empty() { "" } else { " " };
                write!(classes, "{gap}{ground}{colour}").expect("a String takes everything");
            }
        }
        classes
    }

    /// Takes the parameters of one sequence; what it does not know changes nothing.
    fn apply(&mut self, parameters: &str) {
        let mut groups = parameters.split(';');
        while let Some(group) = groups.next() {
            let mut numbers = group.split(':').map(|number| number.parse::<u16>().ok());
            let code = numbers.next().flatten().unwrap_or(0);
            match code {
                0 => *self = Self::default(),
                30..=37 => self.foreground = palette(code, 30),
                39 => self.foreground = None,
                40..=47 => self.background = palette(code, 40),
                49 => self.background = None,
                90..=97 => self.foreground = palette(code, 82),
                100..=107 => self.background = palette(code, 92),
                38 | 48 => {
                    // `38:5:n` and `38:2::r:g:b` say it in one group, `38;5;n` in several.
                    let own: Vec<u16> = numbers.flatten().collect();
                    let colour = if own.is_empty() {
                        extended(&mut groups.by_ref().map(|number| number.parse().ok()))
                    } else {
                        extended(&mut own.into_iter().map(Some))
                    };
                    let ground =
                        if code == 38 { &mut self.foreground } else { &mut self.background };
                    *ground = colour.or(*ground);
                }
                // `4:0` is no underline, `4:3` a curly one.
                4 if numbers.next().flatten() == Some(0) => {
                    self.attributes.remove("underline");
                }
                code => self.apply_attribute(code),
            }
        }
    }

    fn apply_attribute(&mut self, code: u16) {
        for (on, off, class) in ATTRIBUTES {
            if code == on {
                self.attributes.insert(class);
            } else if code == off {
                self.attributes.remove(class);
            }
        }
    }
}

fn palette(code: u16, first: u16) -> Option<u8> {
    u8::try_from(code.checked_sub(first)?).ok()
}

/// A colour of the 256, or one by its parts, as the nearest that has a class.
fn extended(numbers: &mut dyn Iterator<Item = Option<u16>>) -> Option<u8> {
    let mut byte = || numbers.next().flatten().and_then(|number| u8::try_from(number).ok());
    match byte()? {
        5 => match byte()? {
            colour @ 0..=15 => Some(colour),
            cube @ 16..=231 => {
                let cube = cube - 16;
                let part = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
                nearest([part(cube / 36), part(cube / 6 % 6), part(cube % 6)])
            }
            grey @ 232..=255 => nearest([8 + (grey - 232) * 10; 3]),
        },
        2 => nearest([byte()?, byte()?, byte()?]),
        _ => None,
    }
}

fn nearest(colour: [u8; 3]) -> Option<u8> {
    let distance = |other: &[u8; 3]| -> u32 {
        colour.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
    };
    (0..).zip(&PALETTE).min_by_key(|(_, other)| distance(other)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        html(text, Links::No)
    }

    #[test]
    fn what_would_be_markup_is_text() {
        assert_eq!(
            shown("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;"
        );
        assert_eq!(
            shown("\u{1b}[31m<b>\u{1b}[0m</span>"),
            "<span class=\"fg1\">&lt;b&gt;</span>&lt;/span&gt;"
        );
    }

    #[test]
    fn colours_and_attributes_become_classes() {
        assert_eq!(shown("\u{1b}[1;32mok\u{1b}[m done"), "<span class=\"bold fg2\">ok</span> done");
        assert_eq!(shown("\u{1b}[93;44ma\u{1b}[39mb"), {
            "<span class=\"fg11 bg4\">a</span><span class=\"bg4\">b</span>"
        });
        assert_eq!(shown("\u{1b}[1;2;3;4;7;9ma\u{1b}[22;23;24;27;29mb"), {
            "<span class=\"bold dim inverse italic strike underline\">a</span>b"
        });
        assert_eq!(shown("\u{1b}[4:3ma\u{1b}[4:0mb"), "<span class=\"underline\">a</span>b");
        assert_eq!(shown("\u{1b}[31m"), "");
    }

    #[test]
    fn more_colours_become_the_nearest_of_sixteen() {
        let colour = |sequence: &str| {
            let html = shown(&format!("\u{1b}[{sequence}mx"));
            html.split('"').nth(1).map(str::to_owned)
        };
        assert_eq!(colour("38;5;9"), Some("fg9".to_owned()));
        assert_eq!(colour("38;5;196"), Some("fg9".to_owned()));
        assert_eq!(colour("48;5;244"), Some("bg8".to_owned()));
        assert_eq!(colour("38;2;0;200;10;1"), Some("bold fg2".to_owned()));
        assert_eq!(colour("38:2::250:250:250"), Some("fg15".to_owned()));
        assert_eq!(colour("38:5:4"), Some("fg4".to_owned()));
        assert_eq!(colour("38;5;999"), None);
        assert_eq!(colour("38"), None);
    }

    #[test]
    fn what_is_no_colour_loses_its_escape_only() {
        assert_eq!(shown("a\u{1b}[2Jb\u{1b}]0;t\u{7}c\u{1b}"), "a[2Jb]0;tc");
    }

    #[test]
    fn only_our_own_addresses_can_be_clicked() {
        let text = "at http://shop.localhost:8080/?a=\"b\"&c javascript:alert(1) http://";
        assert_eq!(
            html(text, Links::Yes),
            "at <a rel=\"noreferrer nofollow\" \
             href=\"http://shop.localhost:8080/?a=&quot;b&quot;&amp;c\">\
             http://shop.localhost:8080/?a=&quot;b&quot;&amp;c</a> javascript:alert(1) http://"
        );
        assert!(!shown(text).contains("<a"));
    }

    proptest! {
        #[test]
        fn nothing_but_our_own_tags_comes_out(text in "(\u{1b}\\[|[0-9;:]{0,6}m|<|>|\"|'|&|http://| |\\PC)*") {
            let html = html(&text, Links::Yes);
            let mut open = Vec::new();
            for piece in html.split('<').skip(1) {
                let (tag, rest) = piece.split_once('>').unwrap();
                prop_assert!(!rest.contains(['>', '"', '\'']));
                let plain = |value: &str| !value.contains(['"', '\'']);
                if let Some(class) = tag.strip_prefix("span class=\"") {
                    prop_assert!(plain(class.strip_suffix('"').unwrap()));
                    open.push("/span");
                } else if let Some(href) = tag.strip_prefix("a rel=\"noreferrer nofollow\" href=\"http://") {
                    prop_assert!(plain(href.strip_suffix('"').unwrap()));
                    open.push("/a");
                } else {
                    prop_assert_eq!(open.pop(), Some(tag));
                }
            }
            prop_assert!(open.is_empty());
        }
    }
}
