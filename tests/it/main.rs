//! Tests of parts of Pierhead together, each through its front door: one binary, one module a
//! subject.
//!
//! `cfg(test)` is always on here; it tells clippy that helpers are tests too.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod admin_page;
#[cfg(test)]
mod api;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod building;
#[cfg(test)]
mod building_mounts;
#[cfg(test)]
mod building_registry;
#[cfg(test)]
mod check;
#[cfg(test)]
mod clusters;
#[cfg(test)]
mod departures;
#[cfg(test)]
mod docker_engine;
#[cfg(test)]
mod docker_host;
#[cfg(test)]
mod docker_target;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod foreign_images;
#[cfg(test)]
mod heavy_files;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod image_layers;
#[cfg(test)]
mod kubernetes;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod paas_files;
#[cfg(test)]
mod push;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod rendering;
#[cfg(test)]
mod router;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod stumbling_registry;
#[cfg(test)]
mod support;
#[cfg(test)]
mod systemd_units;
#[cfg(test)]
mod volumes;
#[cfg(test)]
mod web;
