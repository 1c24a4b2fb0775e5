//! The grammar of v1.1 as a JSON Schema (draft 2020-12), for editors.
//!
//! It refuses nothing that compiles. Two things make it wider than the grammar: it sees a file
//! before conditions and `extends` have completed it, and numbers after the reader has made
//! numbers of them. So whatever may be completed has a relaxed twin, named `…-part`, in which
//! nothing is required: it stands under conditions, beside them, and beside `extends`.

mod single;

use serde_json::{Map, Value as Json, json};

use crate::paas::grammar::{Emptiness, Form, Key, Kind, Need, ROOT, Rule, Section, Shape};
use crate::paas::lexeme::Lexeme;
use crate::paas::schema::single::single;

/// Keys that are conditions.
const CONDITION: &str = r"^[iI][fF]\{";

/// What the definition of a volume of a container is called.
const VOLUME_OF_CONTAINER: &str = "container-volume";

/// The JSON Schema of a file.
pub fn schema() -> Json {
    let mut definitions = Definitions::default();
    let file = definitions.shape(Shape::Section(&ROOT), Extent::Whole, Nothing::Refused);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".paas.yaml",
        "description": "What Pierhead deploys, in the language of version v1.1.",
        "$defs": definitions.0,
    });
    merge(&mut schema, file);
    schema
}

/// How much of something stands in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All of it.
    Whole,
    /// What conditions or `extends` complete.
    Part,
}

/// Whether there may be nothing where a value is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    Allowed,
    Refused,
}

impl From<bool> for Nothing {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allowed } else { Self::Refused }
    }
}

/// Definitions by their names. Each of a collection lets nothing stand for it too.
#[derive(Default)]
struct Definitions(Map<String, Json>);

impl Definitions {
    /// The schema of what stands in some place.
    fn shape(&mut self, shape: Shape, extent: Extent, nothing: Nothing) -> Json {
        match shape {
            Shape::Scalar(lexeme) => single(lexeme, nothing),
            Shape::List(item) => {
                let name = self.list(*item);
                reference(&name, &["array", "object"], nothing)
            }
            Shape::Section(_) | Shape::Names(..) | Shape::Variables(_) | Shape::Kinds(_) => {
                let name = self.mapping(shape, extent);
                reference(&name, &["object"], nothing)
            }
            Shape::Free(form) => self.free(form, extent, nothing),
        }
    }

    /// Makes a definition unless it is there; a definition may refer to itself.
    fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Json) {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Json::Null);
            let made = make(self);
            self.0.insert(name.to_owned(), made);
        }
    }

    /// A list, or conditions that hold lists.
    fn list(&mut self, item: Shape) -> String {
        let name = format!("list-of-{}", name_of(item));
        self.define(&name, |definitions| {
            json!({
                "type": ["array", "object", "null"],
                "items": definitions.shape(item, Extent::Whole, Nothing::Refused),
                "minItems": 1,
                "patternProperties": {
                    CONDITION: reference(&name, &["array", "object"], Nothing::Refused),
                },
                "additionalProperties": false,
                "minProperties": 1,
            })
        });
        name
    }

    /// A mapping: one definition if it has nothing to complete, else one that tells the twins
    /// apart.
    fn mapping(&mut self, shape: Shape, extent: Extent) -> String {
        let name = name_of(shape);
        if needs_nothing(shape) {
            self.define(&name, |definitions| definitions.contents(shape, Extent::Part, &name));
            return name;
        }
        let part = format!("{name}-part");
        self.define(&part, |definitions| definitions.contents(shape, Extent::Part, &part));
        if extent == Extent::Part {
            return part;
        }
        let whole = format!("{name}-whole");
        self.define(&whole, |definitions| definitions.contents(shape, Extent::Whole, &part));
        self.define(&name, |_| {
            json!({
                "type": ["object", "null"],
                "if": is_completed(shape),
                "then": { "$ref": path(&part) },
                "else": { "$ref": path(&whole) },
            })
        });
        name
    }

    /// What a mapping holds; its conditions hold what `under_conditions` is the name of.
    fn contents(&mut self, shape: Shape, extent: Extent, under_conditions: &str) -> Json {
        let mut contents = match shape {
            Shape::Names(emptiness, key, entry) => self.names(emptiness, key, *entry, extent),
            Shape::Section(section) => self.section(section, extent),
            Shape::Variables(section) => self.variables(section, extent),
            Shape::Kinds(kinds) if extent == Extent::Whole => return self.one_of(kinds),
            Shape::Kinds(kinds) => self.any_of(kinds),
            Shape::Scalar(_) | Shape::List(_) | Shape::Free(_) => json!({}),
        };
        let conditions = reference(under_conditions, &["object"], Nothing::Refused);
        merge(&mut contents, json!({ "patternProperties": { CONDITION: conditions } }));
        contents
    }

    fn section(&mut self, section: &Section, extent: Extent) -> Json {
        let mut contents = json!({
            "type": ["object", "null"],
            "properties": self.properties(section.keys, extent),
            "additionalProperties": false,
        });
        if extent == Extent::Whole {
            let required = section.keys.iter().filter(|key| key.need == Need::Required);
            let required: Vec<_> = required.map(|key| key.name).collect();
            if !required.is_empty() {
                merge(&mut contents, json!({ "required": required }));
            }
            if section.rule == Rule::One {
                let each: Vec<_> = section.keys.iter().map(is_there).collect();
                merge(&mut contents, json!({ "oneOf": each }));
            }
        }
        contents
    }

    fn properties(&mut self, keys: &[Key], extent: Extent) -> Map<String, Json> {
        let mut properties = Map::new();
        for key in keys {
            let is_optional = key.need != Need::Required || extent == Extent::Part;
            let mut value = self.shape(key.shape, extent, is_optional.into());
            merge(&mut value, json!({ "description": key.about }));
            properties.insert(key.name.to_owned(), value);
        }
        properties
    }

    fn names(&mut self, emptiness: Emptiness, key: Lexeme, entry: Shape, extent: Extent) -> Json {
        let nothing = extent == Extent::Part || can_be_nothing(entry);
        let mut contents = json!({
            "type": ["object", "null"],
            "additionalProperties": self.shape(entry, extent, nothing.into()),
        });
        if let Some(names) = single::names(key, CONDITION) {
            merge(&mut contents, json!({ "propertyNames": names }));
        }
        if emptiness == Emptiness::Refused && extent == Extent::Whole {
            merge(&mut contents, json!({ "minProperties": 1 }));
        }
        contents
    }

    fn variables(&mut self, section: &Section, extent: Extent) -> Json {
        let mut contents = json!({
            "type": ["object", "null"],
            "properties": self.properties(section.keys, extent),
            "additionalProperties": single(Lexeme::Text, Nothing::Allowed),
        });
        if extent == Extent::Whole {
            merge(&mut contents, json!({ "minProperties": 1 }));
        }
        contents
    }

    /// A mapping of several kinds that has all that its kind requires.
    fn one_of(&mut self, kinds: &[Kind]) -> Json {
        // What tells another kind apart may stand there with nothing under it.
        let nothing = kinds.iter().map(|kind| kind.discriminant.to_owned());
        let nothing: Map<_, _> = nothing.map(|key| (key, json!({ "type": "null" }))).collect();
        let each = kinds.iter().map(|Kind { section, .. }| {
            self.define(section.name, |definitions| {
                let mut properties = nothing.clone();
                let mut contents = definitions.section(section, Extent::Whole);
                properties.extend(definitions.properties(section.keys, Extent::Whole));
                merge(&mut contents, json!({ "properties": properties }));
                contents
            });
            json!({ "$ref": path(section.name) })
        });
        json!({ "type": ["object", "null"], "oneOf": each.collect::<Vec<_>>() })
    }

    /// A mapping of several kinds of which a part may tell no kind: the keys of all.
    fn any_of(&mut self, kinds: &[Kind]) -> Json {
        let mut properties = Map::new();
        for kind in kinds {
            properties.extend(self.properties(kind.section.keys, Extent::Part));
        }
        json!({
            "type": ["object", "null"],
            "properties": properties,
            "additionalProperties": false,
        })
    }

    fn free(&mut self, form: Form, extent: Extent, nothing: Nothing) -> Json {
        let types: &[&str] = match form {
            Form::Entries => &["object"],
            Form::Collection => &["object", "array"],
            Form::Any => &[],
        };
        let mut free = reference("anything", types, Nothing::Refused);
        if let (Nothing::Allowed, Some(types)) = (nothing, types_of(&mut free)) {
            types.push("null".into());
        }
        if form == Form::Entries && extent == Extent::Whole {
            merge(&mut free, json!({ "minProperties": 1 }));
        }
        self.define("anything", |_| {
            json!({
                "patternProperties": {
                    CONDITION: reference("anything", &["object", "array"], Nothing::Refused),
                },
                "additionalProperties": { "$ref": path("anything") },
                "items": { "$ref": path("anything") },
            })
        });
        free
    }
}

/// What the definition of a shape is called.
fn name_of(shape: Shape) -> String {
    match shape {
        Shape::Scalar(lexeme) => single::name_of(lexeme),
        Shape::List(item) => format!("list-of-{}", name_of(*item)),
        Shape::Section(section) | Shape::Variables(section) => section.name.to_owned(),
        Shape::Names(Emptiness::Allowed, _, entry) => format!("{}-by-name", name_of(*entry)),
        Shape::Names(Emptiness::Refused, _, entry) => format!("some-{}-by-name", name_of(*entry)),
        Shape::Kinds(_) => VOLUME_OF_CONTAINER.to_owned(),
        Shape::Free(Form::Entries) => "entries".to_owned(),
        Shape::Free(Form::Collection) => "collection".to_owned(),
        Shape::Free(Form::Any) => "anything".to_owned(),
    }
}

/// Whether nothing is missing where nothing stands, however deep one looks.
fn needs_nothing(shape: Shape) -> bool {
    match shape {
        Shape::Scalar(_) | Shape::List(_) | Shape::Free(Form::Collection | Form::Any) => true,
        Shape::Section(section) => {
            let is_lax = |key: &Key| key.need != Need::Required && needs_nothing(key.shape);
            section.rule == Rule::Any && section.keys.iter().all(is_lax)
        }
        Shape::Names(emptiness, _, entry) => {
            emptiness == Emptiness::Allowed && needs_nothing(*entry)
        }
        Shape::Variables(_) | Shape::Kinds(_) | Shape::Free(Form::Entries) => false,
    }
}

/// Whether an entry may have nothing under its name, which counts as an empty mapping.
fn can_be_nothing(entry: Shape) -> bool {
    match entry {
        Shape::Section(section) => {
            section.rule == Rule::Any && section.keys.iter().all(|key| key.need != Need::Required)
        }
        Shape::Names(emptiness, ..) => emptiness == Emptiness::Allowed,
        Shape::Free(form) => form != Form::Entries,
        Shape::Scalar(_) | Shape::List(_) | Shape::Variables(_) | Shape::Kinds(_) => false,
    }
}

/// Holds of a mapping that is completed from elsewhere: one of its keys says so.
fn is_completed(shape: Shape) -> Json {
    let can_extend = match shape {
        Shape::Section(section) => section.key("extends").is_some(),
        Shape::Scalar(_)
        | Shape::List(_)
        | Shape::Names(..)
        | Shape::Variables(_)
        | Shape::Kinds(_)
        | Shape::Free(_) => false,
    };
    let keys = if can_extend { format!("{CONDITION}|^extends$") } else { CONDITION.to_owned() };
    json!({ "not": { "propertyNames": { "not": { "pattern": keys } } } })
}

/// Holds of a mapping that has something under a key.
///
/// It is said so that editors do not take it for one more description of the key.
fn is_there(key: &Key) -> Json {
    match key.need {
        Need::Required | Need::Optional => {
            json!({ "not": { "properties": { key.name: { "type": "null" } } } })
        }
        Need::OptionalEmpty | Need::OptionalNull => json!({ "required": [key.name] }),
    }
}

fn path(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// A definition, to which nothing is said of these types unless nothing may be there.
fn reference(name: &str, types: &[&str], nothing: Nothing) -> Json {
    let mut reference = json!({ "$ref": path(name) });
    match (nothing, types) {
        (Nothing::Allowed, _) | (_, []) => {}
        (Nothing::Refused, [only]) => merge(&mut reference, json!({ "type": only })),
        (Nothing::Refused, types) => merge(&mut reference, json!({ "type": types })),
    }
    reference
}

fn types_of(schema: &mut Json) -> Option<&mut Vec<Json>> {
    let types = schema.get_mut("type")?;
    if types.is_string() {
        *types = Json::Array(vec![types.take()]);
    }
    types.as_array_mut()
}

/// Adds what another schema says.
fn merge(schema: &mut Json, other: Json) {
    if let (Json::Object(schema), Json::Object(other)) = (schema, other) {
        schema.extend(other);
    }
}
