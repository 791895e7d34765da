//! pip's choice of a package index: `PIP_INDEX_URL` and `PIP_CERT`, then pip's configuration files, then the default.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// pip's default index.
const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// Configuration sections that apply to installing a package; the later one wins.
const SECTIONS: [&str; 2] = ["global", "install"];

/// pip's settings.
#[derive(Debug, PartialEq, Eq)]
pub struct PipSettings {
    /// URL of the index, possibly with a password.
    pub(crate) index_url: String,
    /// File of trusted certificates.
    pub cert: Option<PathBuf>,
}

impl PipSettings {
    /// Reads the environment and pip's configuration files.
    pub fn read(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let texts: Vec<String> = files(variable).iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        let setting = |name: &str| {
            let from_environment =
                variable(&format!("PIP_{}", name.to_uppercase())).and_then(|it| it.into_string().ok());
            let from_files = || texts.iter().rev().find_map(|text| value(text, name));
            from_environment.filter(|value| !value.is_empty()).or_else(from_files)
        };
        Self {
            index_url: setting("index_url").unwrap_or_else(|| DEFAULT_INDEX.to_owned()),
            cert: setting("cert").map(PathBuf::from),
        }
    }
}

/// Returns pip's configuration files in reading order; a later one wins.
fn files(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = path("PIP_CONFIG_FILE");
    if own.as_deref() == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    let home = path("HOME");
    let in_home = |inside: &str| home.as_ref().map(|home| home.join(inside));
    let user = path("XDG_CONFIG_HOME").or_else(|| in_home(".config")).map(|folder| folder.join("pip/pip.conf"));
    let site = path("VIRTUAL_ENV").map(|environment| environment.join("pip.conf"));
    let global = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"].map(|path| Some(PathBuf::from(path)));
    let macos = in_home("Library/Application Support/pip/pip.conf");
    global.into_iter().chain([in_home(".pip/pip.conf"), user, macos, site, own]).flatten().collect()
}

/// Reads a setting from a configuration file. Names are written with `-` or `_`.
fn value(text: &str, name: &str) -> Option<String> {
    let (mut section, mut found) = (None, None);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = SECTIONS.iter().position(|it| *it == title.trim());
        } else if let (Some(rank), Some((key, value))) = (section, line.split_once(['=', ':']))
            && key.trim().replace('-', "_").eq_ignore_ascii_case(name)
            && found.as_ref().is_none_or(|(best, _)| rank >= *best)
        {
            found = Some((rank, value.trim().to_owned()));
        }
    }
    found.map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tempfile::TempDir;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> PipSettings {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        PipSettings::read(&|name| variables.get(name).map(OsString::from))
    }

    /// Creates a home directory with this pip configuration.
    fn home(text: &str) -> (TempDir, String) {
        let home = TempDir::new().unwrap();
        fs::create_dir_all(home.path().join(".config/pip")).unwrap();
        fs::write(home.path().join(".config/pip/pip.conf"), text).unwrap();
        let path = home.path().display().to_string();
        (home, path)
    }

    #[test]
    fn without_configuration_the_default_index_is_used() {
        assert_eq!(settings(&[("PIP_CONFIG_FILE", "/dev/null")]).index_url, DEFAULT_INDEX);
    }

    #[test]
    fn environment_wins_over_configuration_file() {
        let (_home, path) = home("[global]\nindex-url = https://file.example/simple\ncert: /a/file.pem\n");
        let of_file = settings(&[("HOME", &path)]);
        assert_eq!(of_file.index_url, "https://file.example/simple");
        assert_eq!(of_file.cert, Some(PathBuf::from("/a/file.pem")));
        let of_both = settings(&[("HOME", &path), ("PIP_INDEX_URL", "https://variable.example/simple")]);
        assert_eq!(of_both.index_url, "https://variable.example/simple");
    }

    #[test]
    fn install_section_wins_and_other_sections_do_not_count() {
        let text = "[install]\nindex_url=https://b\n[global]\n# index-url = https://c\nindex-url = https://a\n[list]\nindex-url = https://d\n";
        assert_eq!(value(text, "index_url").as_deref(), Some("https://b"));
        assert_eq!(value("index-url = https://a", "index_url"), None);
    }

    #[test]
    fn named_configuration_file_wins_over_the_users() {
        let (home, path) = home("[global]\nindex-url = https://user.example/simple\n");
        let own = home.path().join("own.conf");
        fs::write(&own, "[global]\nindex-url = https://own.example/simple\n").unwrap();
        let found = settings(&[("HOME", &path), ("PIP_CONFIG_FILE", &own.display().to_string())]);
        assert_eq!(found.index_url, "https://own.example/simple");
    }
}
