//! Where examples are played: a client, a gateway, an application with its sidecar, its callee, and a collector.

use super::proxies::name;
use super::{compare, proxies};
use crate::stage::check_health;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use throughline_dev::app::App;
use throughline_dev::documentation::Variables;
use throughline_dev::documentation::example::{Example, Exchange, Message};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::poll;
use throughline_dev::receiver::{Receiver, Span};

pub struct Mesh {
    collector: Receiver,
    sidecar: Envoy,
    gateway: Envoy,
    callee: App,
    _application: Server,
    /// What the application gets, and the status that it is to answer.
    arrived: mpsc::Receiver<Request>,
    answers: mpsc::Sender<u16>,
    /// How often each listener was asked.
    asked: RefCell<BTreeMap<String, usize>>,
}

impl Mesh {
    pub fn start(release: Release, module: &Path, examples: &[Example]) -> Result<Self> {
        let (collector, callee) = (Receiver::start()?, App::start()?);
        let (arrives, arrived) = mpsc::channel();
        let (answers, to_answer) = mpsc::channel();
        let to_answer = Mutex::new(to_answer);
        let application = Server::start(move |request| {
            // Nobody listens, and nobody answers, only when the test has failed already.
            let _ = arrives.send(request);
            let to_answer = to_answer.lock().unwrap_or_else(PoisonError::into_inner);
            Response::new(to_answer.recv_timeout(poll::PATIENCE).unwrap_or(504))
        })?;
        let plugins = proxies::plugins(examples, module);
        let binary = release.binary()?;
        let sidecar = proxies::sidecar(
            &plugins,
            application.address(),
            callee.address(),
            &collector,
        )?;
        let sidecar = sidecar.start(&binary)?;
        let gateway = proxies::gateway(&plugins, &sidecar, &collector)?;
        Ok(Self {
            gateway: gateway.start(&binary)?,
            collector,
            sidecar,
            callee,
            _application: application,
            arrived,
            answers,
            asked: RefCell::default(),
        })
    }

    /// Sends the request, and lets the application do what the example says.
    pub fn send(
        &self,
        number: usize,
        exchange: &Exchange,
        variables: &mut Variables,
    ) -> Result<Response> {
        let (proxy, listener) = self.entry(number, exchange);
        let request = request(&exchange.request, variables)?;
        let to = proxy.listener(&listener)?;
        *self.asked.borrow_mut().entry(listener).or_default() += 1;
        std::thread::scope(|scope| {
            let client = scope.spawn(move || client::send(to, &request));
            let served = self.serve(number, exchange, variables);
            let status = match (&served, &exchange.answer) {
                (Err(_), _) => Ok(500),
                (Ok(()), None) => Ok(200),
                (Ok(()), Some(answer)) => answer.start[1].parse(),
            };
            // Before anything fails: the client waits.
            self.answers.send(*status.as_ref().unwrap_or(&500))?;
            let response = client
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            served?;
            status.with_context(|| format!("the answer of {}", exchange.place))?;
            response
        })
    }

    fn serve(&self, number: usize, exchange: &Exchange, variables: &mut Variables) -> Result<()> {
        let got = self
            .arrived
            .recv_timeout(poll::PATIENCE)
            .map_err(|_| anyhow!("the application got no request"))?;
        if let Some(wanted) = &exchange.application {
            compare::request(wanted, &got, variables).context("the application")?;
        }
        let (Some(call), Some(wanted)) = (&exchange.call, &exchange.callee) else {
            return Ok(());
        };
        let call = request(call, variables)?;
        let through = name("outbound", number);
        *self.asked.borrow_mut().entry(through.clone()).or_default() += 1;
        let answer = client::send(self.sidecar.listener(&through)?, &call)?;
        ensure!(answer.status == 200, "the callee's answer was {answer:?}");
        let got = self
            .callee
            .take_seen()
            .pop()
            .context("the callee got no request")?;
        compare::request(wanted, &got, variables).context("the callee")
    }

    /// The entry in the access log of the proxy where the request came in.
    pub fn logged(&self, number: usize, exchange: &Exchange) -> Result<Value> {
        let (proxy, listener) = self.entry(number, exchange);
        let asked = self
            .asked
            .borrow()
            .get(&listener)
            .copied()
            .unwrap_or_default();
        // The other proxies' too: a span is counted before its request is logged.
        for (listener, asked) in &*self.asked.borrow() {
            let proxy = if listener.starts_with("gateway") {
                &self.gateway
            } else {
                &self.sidecar
            };
            poll::until("every entry of the access logs", || {
                Ok((proxy.access_log(listener)?.len() >= *asked).then_some(()))
            })?;
        }
        proxy
            .access_log(&listener)?
            .into_iter()
            .nth(asked.saturating_sub(1))
            .context("no entry")
    }

    /// So many spans, as soon as they are here.
    pub fn exported(&self, count: usize) -> Result<Vec<Span>> {
        self.collector.wait_for(count as u64)?;
        Ok(self.collector.take())
    }

    /// How many spans were recorded until now.
    pub fn finished_spans(&self) -> Result<u64> {
        let of = |envoy: &Envoy| -> Result<u64> {
            let stats = envoy.stats()?.into_iter();
            let counted = stats.filter(|(name, _)| name.ends_with("throughline.finished_spans"));
            Ok(counted.map(|(_, count)| count).sum())
        };
        Ok(of(&self.gateway)? + of(&self.sidecar)?)
    }

    pub fn check(&self) -> Result<()> {
        // An inert filter touches nothing, as some examples show.
        for envoy in [&self.gateway, &self.sidecar] {
            let log = envoy.log();
            let rejected = log
                .lines()
                .find(|line| line.contains("configuration rejected"));
            ensure!(rejected.is_none(), "{}", rejected.unwrap_or_default());
            check_health(envoy)?;
        }
        let (invalid, left) = (self.collector.invalid(), self.collector.spans());
        ensure!(invalid.is_empty(), "invalid spans: {invalid:#?}");
        ensure!(left.is_empty(), "spans that no example shows: {left:#?}");
        Ok(())
    }

    fn entry(&self, number: usize, exchange: &Exchange) -> (&Envoy, String) {
        match exchange.at_gateway {
            true => (&self.gateway, name("gateway", number)),
            false => (&self.sidecar, name("inbound", number)),
        }
    }
}

/// The request of a block, with what its names stand for.
fn request(message: &Message, variables: &Variables) -> Result<Request> {
    let fill = |text: &str| {
        let filled = variables.fill(text);
        filled.map_err(|why| anyhow!("{}: {why}", message.place))
    };
    let [method, target] = &message.start;
    message.headers.iter().try_fold(
        Request::new(method, &fill(target)?),
        |request, (name, value)| Ok(request.header(name, fill(value)?)),
    )
}
