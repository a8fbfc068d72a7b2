//! What the service's process does.

use crate::bookinfo::Copies;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, Write as _};
use throughline_demo::carried::Carried;
use throughline_dev::app::{App, Call};
use throughline_dev::http::Request;

/// Serves until standard input ends.
pub fn run(copies: Copies) -> Result<()> {
    let app = App::start()?;
    app.forward(copies.forward());
    say(&json!({"listening": app.address().to_string()}))?;
    for line in io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line?)?;
        say(&obey(&app, copies, &order)?)?;
    }
    Ok(())
}

fn obey(app: &App, copies: Copies, order: &Value) -> Result<Value> {
    if let Some(calls) = order.get("calls").and_then(Value::as_array) {
        app.calls(calls.iter().map(call).collect::<Result<_>>()?);
        return Ok(json!({}));
    }
    if let Some(status) = order.get("answers").and_then(Value::as_u64) {
        app.answers(u16::try_from(status)?);
        return Ok(json!({}));
    }
    let seen = app.take_seen();
    let seen: Vec<_> = seen.iter().map(|request| report(request, copies)).collect();
    Ok(json!({"seen": seen}))
}

fn call(call: &Value) -> Result<Call> {
    let text = |key| {
        let text = call.get(key).and_then(Value::as_str);
        text.with_context(|| format!("a call without {key}: {call}"))
    };
    let optional = call.get("optional").and_then(Value::as_bool);
    let call = Call::new(text("through")?.parse()?, text("host")?, text("path")?);
    Ok(match optional {
        Some(true) => call.optional(),
        _ => call,
    })
}

fn report(request: &Request, copies: Copies) -> Value {
    let copied = copies.forward().pick(&request.headers);
    json!({
        "received": Carried::of(&request.headers).to_json(),
        "copied": Carried::of(&copied).to_json(),
    })
}

fn say(value: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}
