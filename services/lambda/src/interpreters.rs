//! The interpreters of this host, found by their files: nothing is executed, so that looking costs
//! microseconds and needs no thread.
//!
//! An interpreter is known by its real path (links followed): `PREFIX/bin/python3.12` beside
//! `PREFIX/lib/python3.12/os.py`, `PREFIX/bin/node` beside `PREFIX/include/node/node_version.h`,
//! `PREFIX/bin/java` beside `PREFIX/lib/modules` and `PREFIX/release`, `PREFIX/bin/ruby` or `PREFIX/bin/ruby3.3`
//! beside `PREFIX/lib/ruby/3.3.0/json.rb`. Scripts that pose as interpreters (the shims of pyenv and the like) have
//! no such neighbours.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use pagoda_sandbox::{Config, Tree};

/// Directories of the sandbox that have their own use, where no interpreter can be shown.
const TAKEN: [&str; 6] = ["/var", "/opt", "/tmp", "/dev", "/proc", "/etc"];
/// Where each instance's directories are bound, beside the sandbox's own defaults.
pub(crate) const PYTHON_SDK: &str = "/var/site-packages";
/// Node looks for packages in every directory above the function's.
pub(crate) const NODEJS_SDK: &str = "/var/node_modules";
/// More versions than this of one version manager are not looked at.
const VERSIONS_MAX: usize = 100;
/// Versions of Ruby 3 that may be known by their library: there was never a 3.10.
const RUBY_MINORS: u32 = 10;

/// A language with an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// CPython 3.
    Python,
    /// Node.js.
    Nodejs,
    /// A Java virtual machine of version 9 or later.
    Java,
    /// Ruby 3, the one in C.
    Ruby,
}

/// An installed interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// What it runs.
    pub language: Language,
    /// `(3, 12)`, `(22, 0)`: Lambda's runtimes for Node.js and Java have only the first number.
    pub version: (u32, u32),
    /// The program on the host, links followed.
    pub path: PathBuf,
    /// The program inside a sandbox.
    pub guest: PathBuf,
    /// The tree that the sandbox must show for it, where it is not under `/usr`.
    pub tree: Option<Tree>,
}

/// All interpreters of this host, the better first.
#[derive(Debug, Clone, Default)]
pub struct Interpreters {
    found: Vec<Interpreter>,
    /// What the operator set, by the runtime's name.
    set: BTreeMap<String, Interpreter>,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "python",
            Self::Nodejs => "nodejs",
            Self::Java => "java",
            Self::Ruby => "ruby",
        })
    }
}

impl fmt::Display for Interpreter {
    /// As in runtimes' names: `python3.12`, `nodejs22.x`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.language {
            Language::Python => write!(f, "python{}.{}", self.version.0, self.version.1),
            Language::Ruby => write!(f, "ruby{}.{}", self.version.0, self.version.1),
            Language::Nodejs => write!(f, "nodejs{}.x", self.version.0),
            Language::Java => write!(f, "java{}", self.version.0),
        }
    }
}

impl Interpreters {
    /// Looks along `PATH`, then where pyenv, nvm, rbenv, distributions and SDKMAN! install. `set` names programs for runtimes, such
    /// as `"nodejs22.x"` → `/opt/node22/bin/node`. Starts no thread and no process.
    ///
    /// # Errors
    /// In words for the operator, when a program in `set` is no interpreter.
    pub fn probe(set: &BTreeMap<String, PathBuf>) -> Result<Self, String> {
        let mut interpreters = Self::default();
        for directory in directories() {
            interpreters.look_in(&directory);
        }
        for (runtime, path) in set {
            let known = Interpreter::at(path).ok_or_else(|| {
                format!(
                    "{} (set for {runtime}) is no Python, Node.js, Java or Ruby with its library",
                    path.display()
                )
            })?;
            interpreters.set.insert(runtime.clone(), known);
        }
        Ok(interpreters)
    }

    /// What was found, and what was set.
    pub fn all(&self) -> impl Iterator<Item = &Interpreter> {
        self.set.values().chain(&self.found)
    }

    /// The interpreter for a runtime: what was set, the exact version, or else the nearest. What was compiled
    /// for one version of Java does not run on an earlier one, so that later ones are nearer.
    pub(crate) fn nearest(
        &self,
        runtime: &str,
        language: Language,
        version: (u32, u32),
    ) -> Option<&Interpreter> {
        let distance = |one: &&Interpreter| {
            let (a, b) = (one.version, version);
            (language == Language::Java && a < b, a.0.abs_diff(b.0), a.1.abs_diff(b.1), a < b)
        };
        self.set
            .get(runtime)
            .or_else(|| self.found.iter().filter(|one| one.language == language).min_by_key(distance))
    }

    /// Whether the operator set the interpreter of this runtime.
    pub(crate) fn is_set(&self, runtime: &str) -> bool {
        self.set.contains_key(runtime)
    }

    /// The settings of a spawner whose sandboxes have these interpreters. For `main`, before any thread.
    pub fn sandbox(&self) -> Config {
        let mut config = Config::default();
        for tree in self.all().filter_map(|one| one.tree.clone()) {
            if !config.trees.contains(&tree) {
                config.trees.push(tree);
            }
        }
        config.mount_points.extend([PYTHON_SDK, NODEJS_SDK].map(PathBuf::from));
        config
    }

    fn look_in(&mut self, directory: &Path) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if !["node", "java"].contains(&name) && minor_of(name).is_none() && !name.starts_with("ruby") {
                continue;
            }
            let Some(found) = Interpreter::at(&entry.path()) else { continue };
            let known = |one: &Interpreter| (one.language, one.version) == (found.language, found.version);
            if !self.found.iter().any(known) {
                self.found.push(found);
            }
        }
    }
}

impl Interpreter {
    fn at(path: &Path) -> Option<Self> {
        let path = fs::canonicalize(path).ok()?;
        let prefix = path.parent()?.parent()?.to_owned();
        let name = path.file_name()?.to_str()?;
        let (language, version) = match minor_of(name) {
            Some(minor) if prefix.join(format!("lib/{name}/os.py")).exists() => {
                (Language::Python, (3, minor))
            }
            None if name == "node" => (Language::Nodejs, (node_major(&prefix)?, 0)),
            None if name == "java" && prefix.join("lib/modules").exists() => {
                (Language::Java, (java_major(&prefix)?, 0))
            }
            None if name.starts_with("ruby") => (Language::Ruby, (3, ruby_minor(&prefix, name)?)),
            _ => return None,
        };
        let tree = tree_of(&prefix, language, version)?;
        let guest = match &tree {
            Some(tree) => tree.guest.join(path.strip_prefix(&prefix).ok()?),
            None => path.clone(),
        };
        Some(Self { language, version, path, guest, tree })
    }
}

/// The tree that shows `prefix` to guests: none for `/usr`, which they always see. `None` where it cannot be
/// shown at all.
fn tree_of(prefix: &Path, language: Language, version: (u32, u32)) -> Option<Option<Tree>> {
    if prefix.starts_with("/usr") {
        return Some(None);
    }
    prefix.parent()?; // without one it is the whole host
    let taken = TAKEN.iter().any(|taken| prefix.starts_with(taken));
    let guest = match taken {
        // It finds its library by the name of the place that it was built for.
        true if language == Language::Ruby => return None,
        true => PathBuf::from(format!("/var/lang/{language}{}.{}", version.0, version.1)),
        false => prefix.to_owned(),
    };
    Some(Some(Tree { host: prefix.to_owned(), guest }))
}

/// 12 for `python3.12`.
fn minor_of(name: &str) -> Option<u32> {
    name.strip_prefix("python3.")?.parse().ok()
}

fn node_major(prefix: &Path) -> Option<u32> {
    let header = fs::read_to_string(prefix.join("include/node/node_version.h")).ok()?;
    let line = header.lines().find_map(|line| line.strip_prefix("#define NODE_MAJOR_VERSION"))?;
    line.trim().parse().ok()
}

/// 17 for `JAVA_VERSION="17.0.15"`.
fn java_major(prefix: &Path) -> Option<u32> {
    let release = fs::read_to_string(prefix.join("release")).ok()?;
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// 3 for `ruby3.3`, and for `ruby` beside the library of 3.3, the latest one.
fn ruby_minor(prefix: &Path, name: &str) -> Option<u32> {
    let library = prefix.join("lib/ruby");
    let has = |minor: &u32| library.join(format!("3.{minor}.0/json.rb")).exists();
    match name.strip_prefix("ruby3.") {
        Some(minor) => minor.parse().ok().filter(has),
        None if name == "ruby" => (0..RUBY_MINORS).rev().find(has),
        None => None,
    }
}

/// Where interpreters may be, in the order in which they are preferred.
fn directories() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    let nvm = std::env::var_os("NVM_DIR").map_or_else(|| home.join(".nvm"), PathBuf::from);
    let rbenv = std::env::var_os("RBENV_ROOT").map_or_else(|| home.join(".rbenv"), PathBuf::from);
    let sdkman = std::env::var_os("SDKMAN_DIR").map_or_else(|| home.join(".sdkman"), PathBuf::from);
    directories.extend(std::env::var_os("JAVA_HOME").map(|java| PathBuf::from(java).join("bin")));
    for versions in [
        pyenv.join("versions"),
        nvm.join("versions/node"),
        rbenv.join("versions"),
        PathBuf::from("/usr/lib/jvm"),
        sdkman.join("candidates/java"),
    ] {
        let Ok(entries) = fs::read_dir(versions) else { continue };
        let mut installed: Vec<_> = entries.flatten().take(VERSIONS_MAX).map(|one| one.path()).collect();
        installed.sort();
        directories.extend(installed.into_iter().rev().map(|version| version.join("bin")));
    }
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(root: &Path, prefix: &str, minor: u32) -> PathBuf {
        let prefix = root.join(prefix);
        let library = prefix.join(format!("lib/python3.{minor}"));
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("os.py"), "").unwrap();
        fs::create_dir_all(prefix.join("bin")).unwrap();
        let program = prefix.join(format!("bin/python3.{minor}"));
        fs::write(&program, "").unwrap();
        program
    }

    fn interpreters(minors: &[u32]) -> Interpreters {
        let of = |minor: &u32| Interpreter {
            language: Language::Python,
            version: (3, *minor),
            path: PathBuf::new(),
            guest: PathBuf::new(),
            tree: None,
        };
        Interpreters { found: minors.iter().map(of).collect(), set: BTreeMap::new() }
    }

    #[test]
    fn the_nearest_version_is_chosen_and_the_newer_of_two() {
        for (installed, wanted, expected) in [
            (vec![9, 11, 12], 12, Some(12)),
            (vec![9, 11], 13, Some(11)),
            (vec![11, 13], 12, Some(13)),
            (vec![13], 8, Some(13)),
            (vec![], 8, None),
        ] {
            let found = interpreters(&installed);
            let chosen = found.nearest("python", Language::Python, (3, wanted));
            assert_eq!(chosen.map(|one| one.version.1), expected, "{installed:?} {wanted}");
            assert!(found.nearest("nodejs", Language::Nodejs, (20, 0)).is_none());
        }
    }

    #[test]
    fn a_later_java_is_nearer_than_an_earlier() {
        for (installed, wanted, expected) in [
            (&[11, 17, 25][..], 17, Some(17)),
            (&[17, 25], 21, Some(25)),
            (&[17], 21, Some(17)),
            (&[17, 25], 11, Some(17)),
        ] {
            let mut all = interpreters(installed);
            for one in &mut all.found {
                (one.language, one.version) = (Language::Java, (one.version.1, 0));
            }
            let chosen = all.nearest("java", Language::Java, (wanted, 0));
            assert_eq!(chosen.map(|one| one.version.0), expected, "{installed:?} {wanted}");
        }
    }

    #[test]
    fn java_is_known_by_its_release() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["bin", "lib"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        let program = root.path().join("bin/java");
        fs::write(&program, "").unwrap();
        fs::write(root.path().join("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\n").unwrap();
        assert_eq!(Interpreter::at(&program), None, "no class library");
        fs::write(root.path().join("lib/modules"), "").unwrap();
        assert_eq!(Interpreter::at(&program).unwrap().to_string(), "java17");
        fs::write(root.path().join("release"), "JAVA_VERSION=\"21\"\n").unwrap();
        assert_eq!(Interpreter::at(&program).unwrap().version, (21, 0));
    }

    #[test]
    fn ruby_is_known_by_its_library() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(ruby_minor(root.path(), "ruby"), None, "no library");
        for version in ["3.2.0", "3.3.0", "3.4.0"] {
            fs::create_dir_all(root.path().join("lib/ruby").join(version)).unwrap();
        }
        for version in ["3.2.0", "3.3.0"] {
            fs::write(root.path().join(format!("lib/ruby/{version}/json.rb")), "").unwrap();
        }
        for (name, expected) in
            [("ruby", Some(3)), ("ruby3.2", Some(2)), ("ruby3.4", None), ("ruby-lsp", None), ("ruby3.", None)]
        {
            assert_eq!(ruby_minor(root.path(), name), expected, "{name}");
        }
        assert_eq!(tree_of(Path::new("/opt/ruby"), Language::Ruby, (3, 3)), None, "cannot be moved");
    }

    #[test]
    fn only_real_interpreters_are_known() {
        let root = tempfile::tempdir().unwrap();
        let program = python(root.path(), "home/pythons/a", 12);
        let known = Interpreter::at(&program).unwrap();
        assert_eq!((known.language, known.version), (Language::Python, (3, 12)));
        assert_eq!(known.to_string(), "python3.12");
        let shims = root.path().join("shims");
        fs::create_dir(&shims).unwrap();
        fs::write(shims.join("python3.12"), "#!/bin/sh").unwrap();
        assert_eq!(Interpreter::at(&shims.join("python3.12")), None);
        assert_eq!(Interpreter::at(&shims.join("python3.13")), None);
        let mut all = Interpreters::default();
        all.look_in(&shims);
        all.look_in(program.parent().unwrap());
        assert_eq!(all.all().count(), 1);
    }

    #[test]
    fn trees_avoid_the_directories_that_have_another_use() {
        let shown = |prefix: &str| tree_of(Path::new(prefix), Language::Nodejs, (22, 0));
        assert_eq!(shown("/usr"), Some(None));
        assert_eq!(shown("/usr/local"), Some(None));
        assert_eq!(shown("/"), None);
        assert_eq!(shown("/root/x").unwrap().unwrap().guest, Path::new("/root/x"));
        assert_eq!(shown("/opt/node").unwrap().unwrap().guest, Path::new("/var/lang/nodejs22.0"));
    }
}
