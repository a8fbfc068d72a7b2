//! Hostile request headers, made of what is valid and of what never was.

use super::random::Random;
use throughline_dev::http::{Headers, TRACE_HEADERS};

/// What the listeners take, and a little less.
const MOST_BYTES: usize = 88 << 10;
pub const MOST_HEADERS: usize = 900;

/// Whether Envoy must let this through: RFC 9110 §5.5, field-value.
pub fn is_legal(headers: &Headers) -> bool {
    let legal = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    headers.iter().all(|(_, value)| value.iter().all(legal))
}

/// The headers of one request.
pub fn hostile(random: &mut Random) -> Headers {
    let mut headers = Headers::new();
    let ids = Ids::new(random);
    // How often a value that could be valid is spoilt: never, at times, always.
    let spoil = [usize::MAX, 6, 2, 1][random.below(4)];
    for name in TRACE_HEADERS.into_iter().chain(["baggage"]) {
        if random.once_in(3) {
            continue;
        }
        for _ in 0..repeats(random) {
            // Some requests agree with themselves, others hold several traces.
            let ids = if random.once_in(6) {
                Ids::new(random)
            } else {
                ids.clone()
            };
            let value = valid(name, &ids, random);
            let value = if random.once_in(spoil) {
                spoilt(&value, random)
            } else {
                value
            };
            headers.push(in_some_case(name, random), value);
        }
    }
    if random.once_in(12) {
        let length = random.below(60 << 10);
        let start = valid(random.pick(&TRACE_HEADERS), &ids, random);
        let filler = [b'0', b'a', b'-', b',', b' ', 0xff][random.below(6)];
        let value = [start, vec![filler; length]].concat();
        headers.push(random.pick(&TRACE_HEADERS), value);
    }
    for number in 0..neighbours(random) {
        headers.push(format!("x-{number}"), junk(random));
    }
    for name in ["x-tenant", "x-tl-stage", "X-TL-Tenant", "x-tl-port"] {
        if random.once_in(6) {
            headers.push(name, junk(random));
        }
    }
    bounded(&headers)
}

#[derive(Clone)]
struct Ids {
    trace: String,
    span: String,
    parent: String,
}

impl Ids {
    fn new(random: &mut Random) -> Self {
        let trace = match random.below(6) {
            0 => format!("{:032}", random.hex(16)).replace(' ', "0"),
            1 => format!("{}{}", random.hex(16), "0".repeat(16)),
            2 => random.hex(16),
            _ => random.hex(32),
        };
        Self {
            trace,
            span: random.hex(16),
            parent: random.hex(16),
        }
    }
}

fn repeats(random: &mut Random) -> usize {
    match random.below(20) {
        0 => 2,
        1 => random.below(50),
        _ => 1,
    }
}

fn neighbours(random: &mut Random) -> usize {
    match random.below(30) {
        0 => random.below(400),
        1..=5 => random.below(10),
        _ => 0,
    }
}

fn in_some_case(name: &str, random: &mut Random) -> String {
    match random.below(5) {
        0 => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    }
}

fn valid(name: &str, ids: &Ids, random: &mut Random) -> Vec<u8> {
    let Ids {
        trace,
        span,
        parent,
    } = ids;
    let flags = random.pick(&["00", "01", "02", "03", "ff", "80"]);
    let text = match name {
        "traceparent" => match random.below(6) {
            0 => format!("cc-{trace:0>32}-{span}-{flags}-what-comes"),
            1 => format!("{}-{trace:0>32}-{span}-{flags}", random.hex(2)),
            _ => format!("00-{trace:0>32}-{span}-{flags}"),
        },
        "tracestate" => list(random, 40, |random| {
            let key = random.pick(&["rojo", "congo", "t@v", "0", "a_-*/", "Bad Key", ""]);
            match random.below(8) {
                0 => format!("ot=th:{};rv:{}", random.hex(1), random.hex(14)),
                1 => format!("ot=k:{};th:{};x", random.hex(9), random.hex(2)),
                _ => format!("{key}{}={}", random.below(40), random.hex(8)),
            }
        }),
        "b3" => match random.below(7) {
            0 => random.pick(&["0", "1", "d", "D", "true"]).to_owned(),
            1 => format!("{trace}-{span}"),
            2 => format!("{trace}-{span}-{parent}"),
            3 => format!("{trace}-{span}-1-{parent}"),
            _ => format!("{trace}-{span}-{}", random.pick(&["0", "1", "d"])),
        },
        "x-b3-traceid" => trace.clone(),
        "x-b3-spanid" => span.clone(),
        "x-b3-parentspanid" => parent.clone(),
        "x-b3-sampled" => random
            .pick(&["0", "1", "true", "FALSE", "", "yes"])
            .to_owned(),
        "uber-trace-id" => format!(
            "{trace}{}{span}:0:{}",
            random.pick(&[":", "%3A"]),
            random.hex(1)
        ),
        "x-amzn-trace-id" => {
            let (time, unique) = trace.split_at(8);
            format!("Root=1-{time}-{unique:.24};Parent={span};Sampled=1")
        }
        "x-datadog-trace-id" | "x-datadog-parent-id" => random.below(usize::MAX).to_string(),
        "x-datadog-sampling-priority" => random.pick(&["-1", "0", "1", "2", "+1", "9"]).to_owned(),
        "x-datadog-tags" => format!("_dd.p.tid={span},_dd.p.dm=-1"),
        "x-cloud-trace-context" => {
            format!("{trace}/{};o={}", random.below(1 << 40), random.below(3))
        }
        "grpc-trace-bin" => random
            .pick(&["AABxRUYHnSbPCK5zPEbzKOwLAXFFRgedJs8IAgE", "AAA=", "AAA"])
            .to_owned(),
        "x-b3-flags" => random.pick(&["1", "0", "", "d", "01"]).to_owned(),
        _ => list(random, 80, |random| {
            let key = random.pick(&["user", "stage", "tenant", "a b", "é", ""]);
            format!("{key}={};p=%zz", random.hex(6))
        }),
    };
    text.into_bytes()
}

/// Members with commas between them; seldom so many that they pass every limit.
fn list(random: &mut Random, most: usize, member: impl Fn(&mut Random) -> String) -> String {
    let count = match random.below(10) {
        0 => random.below(most * 5),
        1 => random.below(most),
        _ => random.below(4),
    };
    let members: Vec<_> = (0..count).map(|_| member(random)).collect();
    members.join(random.pick(&[",", ", ", " ,\t", ",,"]))
}

fn spoilt(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut value = value.to_vec();
    let at = random.below(value.len().max(1));
    match random.below(14) {
        0 => value.clear(),
        1 => value = vec![b' '; random.below(40)],
        2 => value.make_ascii_uppercase(),
        3 => value.truncate(at),
        4 => value.insert(at, any_legal(random)),
        5 => drop(value.drain(..at)),
        6 => value.extend_from_slice(&value.clone()),
        7 => value.iter_mut().for_each(|byte| {
            if byte.is_ascii_hexdigit() {
                *byte = b'0';
            }
        }),
        8 => value = [b" \t".as_slice(), &value, b"\t "].concat(),
        9 => value.extend_from_slice(
            random
                .pick(&["-", ",", "=", ";", "\u{85}", "-0", " 1"])
                .as_bytes(),
        ),
        10 => value = junk(random),
        // Not for HTTP: Envoy answers with 400, or lets it through.
        11 if random.once_in(4) => value.insert(at, [0, 1, 0x0b, 0x1f, 0x7f][random.below(5)]),
        _ => {
            let byte = any_legal(random);
            if let Some(there) = value.get_mut(at) {
                *there = byte;
            }
        }
    }
    value
}

fn any_legal(random: &mut Random) -> u8 {
    match random.below(3) {
        0 => 0x80 | random.below(128) as u8,
        1 => b" -,=;%\"\\01fF\t"[random.below(13)],
        _ => 0x20 + random.below(0x5f) as u8,
    }
}

fn junk(random: &mut Random) -> Vec<u8> {
    let length = random.below(80);
    random.bytes(length, any_legal)
}

/// No more than the listeners take, so that a refusal by Envoy is never for the size.
fn bounded(headers: &Headers) -> Headers {
    let mut bytes = 0;
    let fits = |(name, value): &(&[u8], &[u8])| {
        bytes += name.len() + value.len() + 4;
        bytes <= MOST_BYTES
    };
    headers.iter().take(MOST_HEADERS).take_while(fits).collect()
}
