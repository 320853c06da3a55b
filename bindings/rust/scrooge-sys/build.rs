// SPDX-License-Identifier: Apache-2.0
//! Finds libscrooge. The first of these decides:
//!
//! 1. `SCROOGE_LIB_DIR`: the folder of the library; `SCROOGE_INCLUDE_DIR`, else `include` beside it, has the header;
//! 2. `SCROOGE_USE_PKG_CONFIG=1`: pkg-config, and nothing else;
//! 3. `build/release/lib` of the repository, where this crate lies in it and that was built;
//! 4. pkg-config.
//!
//! `SCROOGE_STATIC=1` links the static library, whose own libraries `scrooge.pc` lists; `PKG_CONFIG` names the program.
//! What is found is told to dependents as `DEP_SCROOGE_ROOT`, `DEP_SCROOGE_INCLUDE` and `DEP_SCROOGE_LIB`.
use std::env;
use std::path::{Path, PathBuf};
use std::process::{exit, Command};

const VARIABLES: [&str; 10] = [
    "SCROOGE_LIB_DIR",
    "SCROOGE_INCLUDE_DIR",
    "SCROOGE_STATIC",
    "SCROOGE_USE_PKG_CONFIG",
    "PKG_CONFIG",
    "PKG_CONFIG_PATH",
    "PKG_CONFIG_LIBDIR",
    "PKG_CONFIG_SYSROOT_DIR",
    "PKG_CONFIG_ALLOW_CROSS",
    "DOCS_RS",
];

/// Where the library is, and what a program must be linked with.
struct Found {
    lib_dir: Option<PathBuf>,
    include_dir: Option<PathBuf>,
    /// Words of a linker's command line: `-L`, `-l` and what else pkg-config says.
    flags: Vec<String>,
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for name in VARIABLES {
        println!("cargo:rerun-if-env-changed={}", name);
    }
    if variable("DOCS_RS").is_some() {
        return; // documentation links nothing
    }
    match find() {
        Ok(found) => emit(&found),
        Err(reason) => {
            eprintln!("error: scrooge-sys: {}", reason);
            exit(1);
        }
    }
}

/// The value of a variable; an empty one counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn switch(name: &str) -> Result<bool, String> {
    match variable(name).as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(format!("{} is \"{}\"; set it to 1 or 0", name, other)),
    }
}

fn find() -> Result<Found, String> {
    let wants_static = switch("SCROOGE_STATIC")?;
    if let Some(folder) = variable("SCROOGE_LIB_DIR") {
        return in_folder(Path::new(&folder), wants_static);
    }
    if switch("SCROOGE_USE_PKG_CONFIG")? {
        return by_pkg_config(wants_static, None);
    }
    if let Some(found) = in_repository(wants_static) {
        return Ok(found);
    }
    by_pkg_config(wants_static, None).map_err(|reason| {
        format!(
            "libscrooge was not found ({}). Set SCROOGE_LIB_DIR to the folder that holds {}, for example the lib \
             folder of an installation, or PKG_CONFIG_PATH to the folder of scrooge.pc, or build the repository \
             first: cmake --workflow --preset release",
            reason,
            file_name(wants_static)
        )
    })
}

/// The library's file name, as the target has it.
fn file_name(is_static: bool) -> &'static str {
    match (target("OS").as_str(), target("ENV").as_str(), is_static) {
        ("windows", "msvc", _) => "scrooge.lib",
        ("windows", _, true) => "libscrooge.a",
        ("windows", _, false) => "libscrooge.dll.a",
        (_, _, true) => "libscrooge.a",
        ("macos", _, false) => "libscrooge.dylib",
        (_, _, false) => "libscrooge.so",
    }
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{}", what)).unwrap_or_default()
}

fn in_folder(folder: &Path, wants_static: bool) -> Result<Found, String> {
    let library = folder.join(file_name(wants_static));
    if !library.is_file() {
        return Err(format!(
            "SCROOGE_LIB_DIR is {}, but {} is not there; name the folder that holds it{}",
            folder.display(),
            file_name(wants_static),
            if wants_static { ", or unset SCROOGE_STATIC for the shared library" } else { "" }
        ));
    }
    let folder = folder.canonicalize().map_err(|error| format!("{}: {}", folder.display(), error))?;
    println!("cargo:rerun-if-changed={}", folder.join(file_name(wants_static)).display());
    let mut found = Found { include_dir: include_dir(&folder)?, flags: Vec::new(), lib_dir: Some(folder) };
    if wants_static {
        // Only scrooge.pc knows what the static library itself needs.
        found.flags = by_pkg_config(true, found.lib_dir.as_deref())?.flags;
    }
    Ok(found)
}

fn include_dir(lib_dir: &Path) -> Result<Option<PathBuf>, String> {
    let has_header = |folder: &Path| folder.join("scrooge/scrooge.h").is_file();
    if let Some(given) = variable("SCROOGE_INCLUDE_DIR").map(PathBuf::from) {
        return match has_header(&given) {
            true => Ok(Some(given)),
            false => Err(format!(
                "SCROOGE_INCLUDE_DIR is {}, but scrooge/scrooge.h is not there; name the folder above it",
                given.display()
            )),
        };
    }
    // PREFIX/lib and PREFIX/lib/TRIPLET
    Ok(lib_dir.ancestors().skip(1).take(2).map(|folder| folder.join("include")).find(|folder| has_header(folder)))
}

/// A build of the repository that this crate is a part of. Not for another machine than this.
fn in_repository(wants_static: bool) -> Option<Found> {
    if wants_static || is_cross() {
        return None;
    }
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).join("../../..").canonicalize().ok()?;
    let lib_dir = root.join("build/release/lib");
    let include_dir = root.join("include");
    if !include_dir.join("scrooge/scrooge.h").is_file() || !lib_dir.join(file_name(false)).is_file() {
        return None;
    }
    println!("cargo:rerun-if-changed={}", lib_dir.join(file_name(false)).display());
    Some(Found { lib_dir: Some(lib_dir), include_dir: Some(include_dir), flags: Vec::new() })
}

fn is_cross() -> bool {
    env::var("HOST").ok() != env::var("TARGET").ok()
}

/// Asks pkg-config; `beside` is a library folder whose own scrooge.pc comes first.
fn by_pkg_config(wants_static: bool, beside: Option<&Path>) -> Result<Found, String> {
    let says_where = ["PKG_CONFIG", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR", "PKG_CONFIG_ALLOW_CROSS"];
    if is_cross() && beside.is_none() && !says_where.iter().any(|name| variable(name).is_some()) {
        return Err("pkg-config would find this machine's library, not the target's; set SCROOGE_LIB_DIR, or \
                    PKG_CONFIG to the target's pkg-config"
            .into());
    }
    let program = variable("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let mut query = Command::new(&program);
    if let Some(folder) = beside {
        let mut paths = vec![folder.join("pkgconfig")];
        paths.extend(variable("PKG_CONFIG_PATH").iter().flat_map(env::split_paths));
        query.env("PKG_CONFIG_PATH", env::join_paths(paths).map_err(|error| error.to_string())?);
    }
    if wants_static {
        query.arg("--static");
    }
    let text = output_of(query.args(["--print-errors", "--libs", "scrooge"]), &program)?;
    let folder = |variable: &str| {
        let text = output_of(Command::new(&program).args([variable, "scrooge"]), &program).ok()?;
        Some(PathBuf::from(text.trim())).filter(|folder| folder.is_dir())
    };
    Ok(Found {
        // Not among the flags where it is one of the system's, which rustc does not look into for a static library.
        lib_dir: folder("--variable=libdir"),
        include_dir: folder("--variable=includedir"),
        flags: text.split_whitespace().map(String::from).collect(),
    })
}

fn output_of(command: &mut Command, program: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{} could not be started: {}", program, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{} says: {}",
        program,
        String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    ))
}

fn emit(found: &Found) {
    let is_static = matches!(switch("SCROOGE_STATIC"), Ok(true));
    if let Some(folder) = &found.lib_dir {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:lib={}", folder.display());
    }
    println!("cargo:rustc-link-lib={}=scrooge", if is_static { "static" } else { "dylib" });
    for flag in &found.flags {
        if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={}", folder);
        } else if let Some(name) = flag.strip_prefix("-l") {
            if name != "scrooge" {
                println!("cargo:rustc-link-lib=dylib={}", name);
            }
        } else if flag == "-pthread" {
            println!("cargo:rustc-link-lib=dylib=pthread");
        }
    }
    if let Some(folder) = &found.include_dir {
        println!("cargo:include={}", folder.display());
        if let Some(root) = folder.parent() {
            println!("cargo:root={}", root.display());
        }
    }
}
