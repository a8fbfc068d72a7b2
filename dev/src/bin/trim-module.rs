//! `trim-module IN.wasm OUT.wasm`: the last step of the build. See [`throughline_dev::module`].

use std::path::Path;
use std::process::ExitCode;
use throughline_dev::module;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        eprintln!("usage: trim-module IN.wasm OUT.wasm");
        return ExitCode::from(2);
    };
    let (from, to) = (Path::new(from), Path::new(to));
    match module::trim_file(from, to) {
        Ok((before, after)) => {
            println!("{}: {before} → {after} bytes", to.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("trim-module: {error:#}");
            ExitCode::FAILURE
        }
    }
}
