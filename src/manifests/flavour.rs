//! What controls an ingress class, and how it is told that services speak TLS.

use crate::domain::words::words;

words! {
    /// Controllers of ingresses.
    Flavour, "controller of ingresses" {
        /// The one of the Kubernetes project, unmaintained since March 2026.
        Nginx = "nginx",
        /// Traefik.
        Traefik = "traefik",
        /// `HAProxy`'s own.
        HaproxyTech = "haproxytech",
        /// The community's for `HAProxy`.
        Haproxy = "haproxy",
        /// Load balancers of AWS.
        Aws = "aws",
        /// Load balancers of Google.
        Gke = "gke",
        /// Kong.
        Kong = "kong",
        /// Contour.
        Contour = "contour",
        /// NGINX's own.
        NginxInc = "nginx-inc",
    }
}

/// How a controller is told that the services of an ingress speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// By an annotation of the ingress.
    OfIngress(&'static str, &'static str),
    /// By one that lists the services.
    ListOfServices(&'static str),
    /// By an annotation of each service.
    OfService(&'static str, &'static str),
    /// By one that lists the ports of the service.
    ListOfPorts(&'static str),
    /// By one that gives each named port of the service its protocol, in JSON.
    PortProtocols(&'static str),
}

impl Flavour {
    /// What an `IngressClass` calls its controller.
    pub(super) fn of_controller(controller: &str) -> Option<Self> {
        let begins = |prefix: &str| controller.starts_with(prefix);
        match controller {
            "k8s.io/ingress-nginx" => Some(Self::Nginx),
            "traefik.io/ingress-controller" => Some(Self::Traefik),
            "haproxy-ingress.github.io/controller" => Some(Self::Haproxy),
            "ingress.k8s.aws/alb" | "eks.amazonaws.com/alb" => Some(Self::Aws),
            "k8s.io/ingress-gce" => Some(Self::Gke),
            "ingress-controllers.konghq.com/kong" => Some(Self::Kong),
            "nginx.org/ingress-controller" => Some(Self::NginxInc),
            _ if begins("haproxy.org/ingress-controller") => Some(Self::HaproxyTech),
            _ if begins("projectcontour.io/") => Some(Self::Contour),
            _ => None,
        }
    }

    /// How it is told that services speak TLS.
    pub(super) const fn tls(self) -> Tls {
        match self {
            Self::Nginx => Tls::OfIngress("nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"),
            Self::Traefik => {
                Tls::OfService("traefik.ingress.kubernetes.io/service.serversscheme", "https")
            }
            Self::HaproxyTech => Tls::OfIngress("haproxy.org/server-ssl", "true"),
            Self::Haproxy => Tls::OfIngress("haproxy-ingress.github.io/backend-protocol", "h1-ssl"),
            Self::Aws => Tls::OfIngress("alb.ingress.kubernetes.io/backend-protocol", "HTTPS"),
            Self::Gke => Tls::PortProtocols("cloud.google.com/app-protocols"),
            Self::Kong => Tls::OfService("konghq.com/protocol", "https"),
            Self::Contour => Tls::ListOfPorts("projectcontour.io/upstream-protocol.tls"),
            Self::NginxInc => Tls::ListOfServices("nginx.org/ssl-services"),
        }
    }
}

/// Whether a text is of this form, in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in [
            ("*", ""),
            ("*snippet*", "nginx.ingress.kubernetes.io/configuration-snippet"),
            ("*/auth-*", "a/auth-url"),
            ("a*b*c", "a-b-b-c"),
            ("abc", "abc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*a", "a"), ("*/auth-*", "auth-url"), ("abc", "abcd"), ("", "a")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn controllers_are_known_by_what_they_call_themselves() {
        let of = Flavour::of_controller;
        assert_eq!(of("haproxy.org/ingress-controller/internal"), Some(Flavour::HaproxyTech));
        assert_eq!(of("projectcontour.io/projectcontour/contour"), Some(Flavour::Contour));
        assert_eq!(of("example.com/mine"), None);
    }
}
