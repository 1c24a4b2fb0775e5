//! Bases of registries: their layers are fetched only where something of them is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::layers::config::Config;
use crate::layers::index::LayerFile;
use crate::layers::tree::Tree;
use crate::layers::{Base, BaseFault, Layers};

/// What came of putting a base together.
#[derive(Debug)]
pub enum Assembled {
    /// The base.
    Base(Base),
    /// These layers were never read, and are not at hand.
    Lacks(BTreeSet<usize>),
}

impl Layers {
    /// Puts a base together of its configuration and of layers that are at hand, packed or not, by
    /// their numbers, lowest first. What was read before needs no file. This blocks.
    ///
    /// # Errors
    ///
    /// When something is damaged or another layer than it is said to be, or somebody called it off.
    pub fn assemble(
        &self,
        config: &[u8],
        files: &BTreeMap<usize, Arc<File>>,
        stop: &CancellationToken,
    ) -> Result<Assembled, BaseFault> {
        let config = Config::parse(config)?;
        let mut at_hand = BTreeMap::new();
        for (number, file) in files {
            let (file, size) = (Arc::clone(file), file.metadata()?.len());
            at_hand.insert(*number, LayerFile { file, start: 0, size });
        }
        let (mut indexes, mut lacking) = (Vec::new(), BTreeSet::new());
        for (number, diff_id) in config.diff_ids().iter().enumerate() {
            if let Some(index) = self.cache.index(diff_id) {
                indexes.push(index);
            } else if let Some(file) = at_hand.get(&number) {
                let index = file.index(diff_id, stop)?;
                self.cache.keep_index(diff_id, &index);
                indexes.push(index);
            } else {
                lacking.insert(number);
            }
        }
        if !lacking.is_empty() {
            return Ok(Assembled::Lacks(lacking));
        }
        let mut tree = Tree::default();
        for index in indexes {
            tree.lay(index)?;
        }
        Ok(Assembled::Base(Base { config, tree, files: at_hand }))
    }

    /// How many layers an image with this configuration has.
    ///
    /// # Errors
    ///
    /// When it is no configuration.
    pub fn count(config: &[u8]) -> Result<usize, BaseFault> {
        Ok(Config::parse(config)?.diff_ids().len())
    }
}
