//! Bases whose layers are fetched one by one.

use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzEncoder;

use super::*;

fn assembled(shop: &Shop, config: &[u8], files: &BTreeMap<usize, Arc<File>>) -> Assembled {
    shop.layers.assemble(config, files, &CancellationToken::new()).unwrap()
}

#[test]
fn of_a_base_in_a_registry_only_those_layers_are_asked_for_that_are_needed() {
    let (engine, registry) = (Shop::new(), Shop::new());
    let base = engine.read(rich()).unwrap();
    let config = engine.layers.cache.config(&rich().0).unwrap();
    let Assembled::Lacks(missing) = assembled(&registry, &config, &BTreeMap::new()) else {
        panic!("nothing is known of it");
    };
    assert_eq!(missing.len(), base.files.len());
    let mut files = BTreeMap::new();
    for (number, file) in &base.files {
        let mut packed = tempfile::tempfile().unwrap();
        let mut content = GzEncoder::new(file.packed(), Compression::fast());
        io::copy(&mut content, &mut packed).unwrap();
        files.insert(*number, Arc::new(packed));
    }
    let Assembled::Base(whole) = assembled(&registry, &config, &files) else {
        panic!("all of it is at hand");
    };
    let plan = build(&[("site", "/www")], &["/app/note"]);
    let layer = registry.write(&whole, &plan).unwrap();
    assert_eq!(layer.config(), engine.write(&base, &plan).unwrap().config());

    let Assembled::Base(known) = assembled(&registry, &config, &BTreeMap::new()) else {
        panic!("it was read before");
    };
    let (from, stop) = ((registry.root.path(), LIMITS), CancellationToken::new());
    match registry.layers.write(&known, &plan, from, &stop).unwrap() {
        Written::NeedsFiles(needed) => assert_eq!(needed.len(), 1, "{needed:?}"),
        Written::Layer(_) => panic!("the note is in none of its files"),
    }
}

#[test]
fn a_layer_of_a_registry_that_is_another_one_is_refused() {
    let (engine, registry) = (Shop::new(), Shop::new());
    let base = engine.read(rich()).unwrap();
    let config = engine.layers.cache.config(&rich().0).unwrap();
    let mut other = tempfile::tempfile().unwrap();
    io::copy(&mut base.files.values().next_back().unwrap().packed(), &mut other).unwrap();
    other.write_all(&[0; 512]).unwrap();
    let files = BTreeMap::from([(0, Arc::new(other))]);
    let fault = registry.layers.assemble(&config, &files, &CancellationToken::new()).unwrap_err();
    assert!(matches!(fault, BaseFault::OtherLayer(_)), "{fault}");
}
