//! YAML text as a [`Node`]: the only user of the parser.
//!
//! The parser's events become tokens, and these the tree; an alias is the tokens of its anchor once
//! more, counted so that a small file cannot become a large tree.

mod tree;

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag, options};

use crate::paas::fault::{Code, Fault};
use crate::paas::node::{Node, Place, Scalar, Style, Text};
use crate::paas::report::{Path, Poisoned, Reports};
use crate::paas::source::Source;

/// Most keys and values of a file, those that aliases repeat included: twice as many as a file of
/// 1 MiB with a key and a value on each line.
const MOST_VALUES: usize = 250_000;

/// One step of the text.
#[derive(Debug, Clone)]
enum Token {
    Scalar(Scalar, Place),
    List(Place),
    Mapping(Place),
    /// Ends the innermost list or mapping.
    End,
    /// The node of the anchor with this number, which begins earlier.
    Alias(usize, Place),
}

/// Reads one document.
///
/// # Errors
///
/// When the text is no YAML, is several documents, or becomes larger than a limit allows.
pub(super) fn parse(source: &Source<'_>, reports: &mut Reports) -> Result<Node, Poisoned> {
    let tokens = Tokens::read(source, reports)?;
    let node = tree::build(tokens, source, reports)?;
    reports.stop_on_errors()?;
    Ok(node)
}

/// The whole text in steps.
#[derive(Debug, Default)]
struct Tokens {
    list: Vec<Token>,
    /// How many of them are keys or values.
    values: usize,
    /// Where each anchor's node begins in the list.
    anchors: HashMap<usize, usize>,
    documents: usize,
}

impl Tokens {
    fn read(source: &Source<'_>, reports: &mut Reports) -> Result<Self, Poisoned> {
        let mut tokens = Self::default();
        // Another crate of the program may want them, and so turn them on for all.
        let options = options! { emit_comments: false };
        for event in Parser::new_from_str_with_options(source.text(), options) {
            match event {
                Ok((event, span)) => tokens.event(event, &span, source, reports)?,
                Err(error) => return Err(reports.add(syntax_fault(&error, source))),
            }
        }
        if tokens.list.is_empty() {
            let fault = Fault::new(Code::NotYaml, &Path::default(), Place::START, "it is empty");
            return Err(reports.add(fault.hint("a deployment needs at least `pods`".to_owned())));
        }
        Ok(tokens)
    }

    fn event(
        &mut self,
        event: Event<'_>,
        span: &Span,
        source: &Source<'_>,
        reports: &mut Reports,
    ) -> Result<(), Poisoned> {
        let place = place(span, source);
        let refuse = |message: &str| Fault::new(Code::NotYaml, &Path::default(), place, message);
        if matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..)) {
            self.values += 1;
            if self.values > MOST_VALUES {
                let fault = refuse("the file has more than 250,000 keys and values");
                return Err(reports.add(Fault { code: Code::OverLimit, ..fault }));
            }
        }
        if event.tag().is_some_and(|tag| !is_harmless(tag)) {
            let place = span.tag_span().map_or(place, |span| self::place(&span, source));
            // Not which one: it may be a secret that begins with the mark.
            let fault = Fault::new(Code::NotYaml, &Path::default(), place, "a tag is not allowed");
            reports.add(fault.hint("text that begins with `!` needs quotes".to_owned()));
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "some are there in some builds only")]
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) => {}
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(reports.add(refuse("a second document begins here")));
                }
            }
            Event::UnresolvedAlias(_) => {
                return Err(reports.add(refuse("this anchor does not exist above")));
            }
            Event::Alias(anchor) => self.list.push(Token::Alias(anchor, place)),
            Event::Scalar(value, style, anchor, tag) => {
                self.begin(anchor);
                let text = Text::new(value);
                let style = match style {
                    ScalarStyle::Plain if tag.is_none_or(|tag| !is_text(&tag)) => Style::Plain,
                    ScalarStyle::Plain
                    | ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Style::Quoted,
                };
                self.list.push(Token::Scalar(Scalar { text, style }, place));
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(anchor);
                self.list.push(Token::List(opening(place)));
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(anchor);
                self.list.push(Token::Mapping(opening(place)));
            }
            Event::SequenceEnd | Event::MappingEnd => self.list.push(Token::End),
            // Whatever a later parser may add: nothing of a file is left out in silence.
            _ => return Err(reports.add(refuse("this is not understood"))),
        }
        Ok(())
    }

    /// Notes where the node that comes next begins, when it has an anchor.
    fn begin(&mut self, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, self.list.len());
        }
    }
}

/// Whether a tag says no more than the notation does.
fn is_harmless(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() || tag.original() == "!"
}

fn is_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema_tag("str") || tag.original() == "!"
}

/// Of a list or a mapping, its first character stands for all of it.
fn opening(place: Place) -> Place {
    Place { length: place.length.min(1), ..place }
}

fn place(span: &Span, source: &Source<'_>) -> Place {
    let end = (span.end.line() == span.start.line()).then(|| span.end.col() + 1);
    source.place(span.start.line(), span.start.col() + 1, end)
}

/// The commonest mistakes in plainer words than the parser's.
const PLAINER: [(ErrorKind, &str); 9] = [
    (ErrorKind::ExpectedFlowMappingSeparator, "expected `,` or `}` here"),
    (ErrorKind::ExpectedFlowSequenceSeparator, "expected `,` or `]` here"),
    (ErrorKind::UnknownAnchor, "there is no anchor of this name above"),
    (ErrorKind::SimpleKeyExpected, "expected a `:` behind this key"),
    (ErrorKind::MappingValueNotAllowed, "`:` cannot stand here: indentation, or missing quotes"),
    (ErrorKind::InvalidColonPlacement, "`:` cannot stand here: is a bracket above not closed?"),
    (ErrorKind::UnclosedQuotedScalar, "this quote is not closed"),
    (ErrorKind::TabInBlockIndentation, "a tab cannot indent"),
    (ErrorKind::TabInIndentation, "a tab cannot indent"),
];

fn syntax_fault(error: &ScanError, source: &Source<'_>) -> Fault {
    let marker: &Marker = error.marker();
    let place = source.place(marker.line(), marker.col() + 1, Some(marker.col() + 2));
    let (code, message) = if *error.kind() == ErrorKind::RecursionLimitExceeded {
        (Code::OverLimit, tree::too_deep())
    } else {
        let plainer = PLAINER.iter().find(|(kind, _)| kind == error.kind());
        let message = plainer.map(|(_, message)| (*message).to_owned());
        (Code::NotYaml, message.unwrap_or_else(|| error.info()))
    };
    let line = source.line(place.line);
    let hint = if line.contains("if{") {
        Some("a condition inside { } or [ ] needs quotes: \"if{…}\"")
    } else if line.contains("${") || line.contains("R{") {
        Some("a variable inside { } or [ ] needs quotes: \"${…}\"")
    } else if line.contains('\t') {
        Some("YAML is indented with blanks, not with tabs")
    } else {
        None
    };
    Fault::new(code, &Path::default(), place, message).hint(hint.map(str::to_owned))
}

#[cfg(test)]
mod tests;
