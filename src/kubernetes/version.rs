//! What a cluster is able to do.

/// A group of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiGroup {
    /// Its name, such as `apps`.
    pub name: String,
    /// Its versions, the preferred one first.
    pub versions: Vec<String>,
}

/// A class of Ingresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressClass {
    /// Its name.
    pub name: String,
    /// Who serves it, such as `traefik.io/ingress-controller`.
    pub controller: String,
    /// Whether it takes what names no class.
    pub is_default: bool,
}
