//! TLS, for what is outside of a mesh: a server's end of it, and an application that speaks it itself.

use crate::poll::PATIENCE;
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
};

/// Decrypts what comes to an address, and passes it on. Dropping it closes it.
#[derive(Debug)]
pub struct Terminator {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    pem: String,
    // Everything runs in it.
    _runtime: Runtime,
}

impl Terminator {
    /// Listens at `address` with a certificate for `name`, which is its own authority, and passes connections on to `server`.
    pub fn start(address: SocketAddr, name: &str, server: SocketAddr) -> Result<Self> {
        let mut parameters = rcgen::CertificateParams::new([name.to_owned()])?;
        // Envoy looks authorities up by their names: two of one name hide each other.
        let subject = &mut parameters.distinguished_name;
        subject.push(rcgen::DnType::CommonName, name);
        let signing_key = rcgen::KeyPair::generate()?;
        let made = parameters.self_signed(&signing_key)?;
        let certificate = made.der().clone();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tls")
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            let bound = socket.bind(address);
            bound.with_context(|| format!("cannot bind {address}"))?;
            socket.listen(64)?
        };
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, acceptor, server));
        Ok(Self {
            address,
            certificate,
            pem: made.pem(),
            _runtime: runtime,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its clients must trust, in PEM.
    pub fn authority(&self) -> &str {
        &self.pem
    }

    /// GET `path` of `name` by TLS of our own, over a connection to `through`; gives the whole answer as text.
    pub fn get(&self, through: SocketAddr, name: &'static str, path: &str) -> Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), ServerName::try_from(name)?)?;
        let stream = TcpStream::connect_timeout(&through, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(session, stream);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8(answer)?)
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        // A peer that goes away or speaks nonsense ends its own connection, nothing else.
        tokio::spawn(async move {
            let mut outside = acceptor.accept(stream).await?;
            let mut inside = tokio::net::TcpStream::connect(server).await?;
            copy_bidirectional(&mut outside, &mut inside).await
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Terminator;
    use crate::app::App;
    use anyhow::Result;
    use std::net::Ipv4Addr;

    #[test]
    fn only_who_knows_the_name_and_the_certificate_gets_an_answer() -> Result<()> {
        let app = App::start()?;
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let outside = Terminator::start(free, "outside.test", app.address())?;
        let answer = outside.get(outside.address(), "outside.test", "/a")?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            outside
                .get(outside.address(), "elsewhere.test", "/b")
                .is_err()
        );
        let seen = app.take_seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].target, "/a");
        assert!(outside.authority().starts_with("-----BEGIN CERTIFICATE"));
        Ok(())
    }
}
