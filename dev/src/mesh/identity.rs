//! mTLS between proxies as Istio's agents make it: one authority, and a SPIFFE identity for each workload.

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::{Value, json};

/// Whom the proxies of a mesh trust.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a workload proves itself by.
#[derive(Clone, Debug)]
pub struct Identity {
    certificate: String,
    key: String,
    authority: String,
}

impl Authority {
    /// Makes one of that name: Envoy looks authorities up by their names, and two of one name hide each other.
    pub fn new(name: &str) -> Result<Self> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Certifies a workload by its principal, such as `cluster.local/ns/bookinfo/sa/reviews`.
    pub fn certify(&self, principal: &str) -> Result<Identity> {
        let mut parameters = CertificateParams::default();
        let uri = format!("spiffe://{principal}").try_into()?;
        parameters.subject_alt_names.push(SanType::URI(uri));
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            authority: self.issuer.pem(),
        })
    }
}

impl Identity {
    /// The transport socket of a cluster: it proves who calls.
    pub fn of_client(&self) -> Value {
        json!({"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": self.context(),
        }})
    }

    /// The transport socket of a listener: it wants to know who calls.
    pub fn of_server(&self) -> Value {
        json!({"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": true,
            "common_tls_context": self.context(),
        }})
    }

    fn context(&self) -> Value {
        json!({
            "tls_certificates": [{
                "certificate_chain": {"inline_string": self.certificate},
                "private_key": {"inline_string": self.key},
            }],
            "validation_context": {"trusted_ca": {"inline_string": self.authority}},
        })
    }
}
