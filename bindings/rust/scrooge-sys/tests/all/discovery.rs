// SPDX-License-Identifier: Apache-2.0
//! build.rs, run as cargo runs it, in folders made up for it.
#![cfg(unix)]
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

const HOST: &str = "x86_64-unknown-linux-gnu";

/// The compiled script; none where there is no rustc to compile it.
fn script() -> Option<PathBuf> {
    static COMPILE: Once = Once::new();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-script");
    COMPILE.call_once(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let _ = fs::remove_file(&program);
        let _ = Command::new(rustc).args(["--edition", "2021", "-o"]).arg(&program).arg(source).status();
    });
    if program.is_file() {
        return Some(program);
    }
    eprintln!("skipped: there is no rustc");
    None
}

/// A folder of its own for a test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

fn touch(path: PathBuf) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

/// An installation with both libraries and a header.
fn prefix(name: &str) -> PathBuf {
    let root = folder(name);
    touch(root.join("lib/libscrooge.so"));
    touch(root.join("lib/libscrooge.a"));
    touch(root.join("include/scrooge/scrooge.h"));
    root
}

/// A pkg-config that gives `flags`, and the prefix's folders, whatever it is asked.
fn pkg_config(root: &Path, flags: &str) -> PathBuf {
    let path = root.join("pkg-config");
    let (include, lib) = (root.join("include"), root.join("lib"));
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in\n*includedir*) echo {} ;;\n*libdir*) echo {} ;;\n*) echo \"{}\" ;;\nesac\n",
        include.display(),
        lib.display(),
        flags
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

struct Run {
    succeeded: bool,
    lines: Vec<String>,
    complaint: String,
}

impl Run {
    fn says(&self, line: &str) -> bool {
        self.lines.iter().any(|said| said == line)
    }
}

/// Runs the script with these variables only.
fn run(variables: &[(&str, &Path)]) -> Option<Run> {
    let mut command = Command::new(script()?);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOST", HOST).env("TARGET", HOST).env("CARGO_CFG_TARGET_OS", "linux");
    command.env("CARGO_MANIFEST_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("no/such/folder"));
    let output = command.envs(variables.iter().copied()).output().unwrap();
    Some(Run {
        succeeded: output.status.success(),
        lines: String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect(),
        complaint: String::from_utf8(output.stderr).unwrap(),
    })
}

macro_rules! run {
    ($($name:literal = $value:expr),* $(,)?) => {
        match run(&[$(($name, Path::new(&$value))),*]) {
            Some(run) => run,
            None => return,
        }
    };
}

#[test]
fn a_named_folder_comes_first() {
    let root = prefix("named");
    let run = run!("SCROOGE_LIB_DIR" = root.join("lib"), "SCROOGE_USE_PKG_CONFIG" = "1", "PKG_CONFIG" = "false");
    assert!(run.succeeded, "{}", run.complaint);
    assert!(run.says(&format!("cargo:rustc-link-search=native={}", root.join("lib").display())), "{:?}", run.lines);
    assert!(run.says("cargo:rustc-link-lib=dylib=scrooge"));
    assert!(run.says(&format!("cargo:include={}", root.join("include").display())));
    assert!(run.says(&format!("cargo:root={}", root.display())));
    for name in ["SCROOGE_LIB_DIR", "SCROOGE_INCLUDE_DIR", "SCROOGE_STATIC", "SCROOGE_USE_PKG_CONFIG"] {
        assert!(run.says(&format!("cargo:rerun-if-env-changed={}", name)));
    }
}

#[test]
fn a_named_folder_must_have_the_library() {
    let run = run!("SCROOGE_LIB_DIR" = folder("empty"));
    assert!(!run.succeeded);
    assert!(run.complaint.contains("SCROOGE_LIB_DIR") && run.complaint.contains("libscrooge.so"), "{}", run.complaint);
    let root = prefix("named_header");
    let run = run!("SCROOGE_LIB_DIR" = root.join("lib"), "SCROOGE_INCLUDE_DIR" = root);
    assert!(!run.succeeded && run.complaint.contains("scrooge/scrooge.h"), "{}", run.complaint);
}

#[test]
fn a_static_library_brings_its_own_libraries() {
    let root = prefix("static");
    let pkg_config = pkg_config(&root, "-L/elsewhere -lscrooge -lpcre2-8 -lstdc++ -pthread");
    let run = run!("SCROOGE_LIB_DIR" = root.join("lib"), "SCROOGE_STATIC" = "1", "PKG_CONFIG" = pkg_config);
    assert!(run.succeeded, "{}", run.complaint);
    assert!(run.says("cargo:rustc-link-lib=static=scrooge") && !run.says("cargo:rustc-link-lib=dylib=scrooge"));
    for name in ["pcre2-8", "stdc++", "pthread"] {
        assert!(run.says(&format!("cargo:rustc-link-lib=dylib={}", name)), "{:?}", run.lines);
    }
    assert!(run.says("cargo:rustc-link-search=native=/elsewhere"));
    assert!(!run!("SCROOGE_LIB_DIR" = root.join("lib"), "SCROOGE_STATIC" = "yes").succeeded);
}

/// A repository with a build, and this crate in it.
fn repository(name: &str) -> (PathBuf, PathBuf) {
    let root = folder(name);
    touch(root.join("build/release/lib/libscrooge.so"));
    touch(root.join("include/scrooge/scrooge.h"));
    let package = root.join("bindings/rust/scrooge-sys");
    fs::create_dir_all(&package).unwrap();
    (root.join("build/release/lib"), package)
}

#[test]
fn the_repositorys_build_comes_before_pkg_config_unless_that_is_asked_for() {
    let (built, package) = repository("repository");
    let root = prefix("installed");
    let installed = root.join("lib");
    let pkg_config = pkg_config(&root, "-lscrooge");
    let search = |folder: &Path| format!("cargo:rustc-link-search=native={}", folder.display());

    let run = run!("CARGO_MANIFEST_DIR" = package, "PKG_CONFIG" = pkg_config);
    assert!(run.succeeded && run.says(&search(&built)), "{:?} {}", run.lines, run.complaint);
    let run = run!("CARGO_MANIFEST_DIR" = package, "PKG_CONFIG" = pkg_config, "SCROOGE_USE_PKG_CONFIG" = "1");
    assert!(run.succeeded && run.says(&search(&installed)), "{:?} {}", run.lines, run.complaint);
    assert!(run.says(&format!("cargo:include={}", root.join("include").display())));
    let run = run!("PKG_CONFIG" = pkg_config);
    assert!(run.succeeded && run.says(&search(&installed)), "{:?} {}", run.lines, run.complaint);
}

#[test]
fn another_machines_library_is_not_this_ones() {
    let (_, package) = repository("cross");
    let run = run!("CARGO_MANIFEST_DIR" = package, "TARGET" = "aarch64-unknown-linux-gnu");
    assert!(!run.succeeded && run.complaint.contains("PKG_CONFIG"), "{:?} {}", run.lines, run.complaint);
}

#[test]
fn what_is_not_found_is_said_with_its_remedies() {
    let run = run!("PKG_CONFIG" = "no-such-program");
    assert!(!run.succeeded);
    for word in ["SCROOGE_LIB_DIR", "PKG_CONFIG_PATH", "libscrooge.so", "no-such-program"] {
        assert!(run.complaint.contains(word), "{}", run.complaint);
    }
    assert!(run!("DOCS_RS" = "1").succeeded);
}
