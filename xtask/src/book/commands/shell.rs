//! The part of the shell's language that the documentation uses.

use std::iter::Peekable;
use std::str::CharIndices;

/// Stands for the address of the repository in `git clone`.
pub(super) const PLACEHOLDER: &str = "<this repository>";

/// A command of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Program and arguments, without variables before it.
    pub(super) words: Vec<String>,
    /// Files that it reads as its input.
    pub(super) reads: Vec<String>,
    /// Files that it writes its output to.
    pub(super) writes: Vec<String>,
}

/// Splits a line into its commands, in their order.
///
/// # Errors
/// If a quote is not closed, or a redirection has no file.
pub(super) fn parse(line: &str) -> Result<Vec<Command>, &'static str> {
    let mut commands = vec![Command::default()];
    let mut redirection = None;
    let line = line.replace(PLACEHOLDER, &format!("'{PLACEHOLDER}'"));
    let mut letters = line.char_indices().peekable();
    while let Some(&(_, letter)) = letters.peek() {
        match letter {
            '#' => break,
            '|' | '&' | ';' | '(' | ')' => {
                commands.push(Command::default());
                letters.next();
            }
            '<' | '>' => {
                redirection = Some(letter);
                letters.next();
            }
            _ if letter.is_whitespace() => {
                letters.next();
            }
            _ => {
                let word = word(&mut letters)?;
                let Some(command) = commands.last_mut() else { continue };
                match redirection.take() {
                    Some('<') => command.reads.push(word),
                    Some(_) => command.writes.push(word),
                    None if command.words.is_empty() && is_variable(&word) => {}
                    None => command.words.push(word),
                }
            }
        }
    }
    if redirection.is_some() {
        return Err("a redirection without a file");
    }
    commands.retain(|command| !command.words.is_empty());
    Ok(commands)
}

fn word(letters: &mut Peekable<CharIndices<'_>>) -> Result<String, &'static str> {
    let mut word = String::new();
    let mut quote = None;
    while let Some(&(_, letter)) = letters.peek() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '|' | '&' | ';' | '(' | ')' | '<' | '>') => break,
            (None, _) if letter.is_whitespace() => break,
            _ => word.push(letter),
        }
        letters.next();
    }
    if quote.is_some() { Err("a quote is not closed") } else { Ok(word) }
}

/// Returns true for `NAME=value`.
fn is_variable(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|it| it.is_ascii_uppercase() || it == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<String>> {
        parse(line).unwrap().into_iter().map(|command| command.words).collect()
    }

    #[test]
    fn line_has_several_commands() {
        assert_eq!(words("cd a && b c | d; e & # f"), [vec!["cd", "a"], vec!["b", "c"], vec!["d"], vec!["e"]]);
        assert_eq!(words("# nothing"), Vec::<Vec<String>>::new());
    }

    #[test]
    fn quotes_and_variables_are_understood() {
        assert_eq!(words("A=b curl -d 'buy \"milk\"'"), [["curl", "-d", "buy \"milk\""]]);
        assert_eq!(words("git clone <this repository> a"), [["git", "clone", PLACEHOLDER, "a"]]);
        assert_eq!(parse("a 'b"), Err("a quote is not closed"));
    }

    #[test]
    fn redirections_are_separate() {
        let command = Command { words: vec!["a".into()], reads: vec!["b".into()], writes: vec!["c".into()] };
        assert_eq!(parse("a < b > c").unwrap(), [command]);
        assert!(parse("a >").is_err());
    }
}
