//! Web address of this checkout's source: the `origin` of the repository that contains the page.

use std::fs;
use std::path::Path;

/// Returns the address of the repository that contains `directory`, if it is a web address.
pub(super) fn from_directory(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let config = directory.ancestors().find_map(|parent| fs::read_to_string(parent.join(".git/config")).ok())?;
    browsable(origin(&config)?)
}

/// Returns the `url` in the section `[remote "origin"]`.
fn origin(config: &str) -> Option<&str> {
    let section = config.split("[remote \"origin\"]").nth(1)?.split("\n[").next()?;
    let values = section.lines().filter_map(|line| line.split_once('='));
    values.into_iter().find(|(key, _)| key.trim() == "url").map(|(_, value)| value.trim())
}

/// Converts a git URL to `https://host/path`. User names and passwords in it are removed.
fn browsable(url: &str) -> Option<String> {
    let rest = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.to_owned(),
        Some(_) => return None,
        // As in `git@host:owner/name.git`; a local path has no host.
        None => url.split_once(':').filter(|(host, _)| host.contains('@'))?.0.to_owned() + "/" + url.split_once(':')?.1,
    };
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("https://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_becomes_a_web_address_without_credentials() {
        for url in [
            "https://host.example/owner/name.git",
            "https://me:s3cret@host.example/owner/name",
            "git@host.example:owner/name.git",
            "ssh://git@host.example:2222/owner/name.git/",
        ] {
            assert_eq!(browsable(url).as_deref(), Some("https://host.example/owner/name"), "{url}");
        }
    }

    #[test]
    fn local_path_has_no_web_address() {
        for url in ["/srv/git/name.git", "../name", "file:///srv/git/name.git", ""] {
            assert_eq!(browsable(url), None, "{url}");
        }
    }

    #[test]
    fn url_of_origin_is_found() {
        let config = "[core]\n\turl = a\n[remote \"fork\"]\n\turl = b\n[remote \"origin\"]\n\tfetch = x\n\turl = c\n[branch \"main\"]\n\turl = d\n";
        assert_eq!(origin(config), Some("c"));
        assert_eq!(origin("[core]\n"), None);
    }
}
