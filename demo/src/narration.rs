use std::io::{self, IsTerminal};

use local_cluster::{Result, Tool};

/// A new part of the story.
pub(crate) fn heading(text: &str) {
    println!("\n{}", bold(&format!("== {text}")));
}

pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A command as a user would type it.
pub(crate) fn typed(command: &str) {
    println!("\n{}", bold(&format!("$ {command}")));
}

/// What a command answered.
pub(crate) fn answered(output: &str) {
    for line in output.trim_end().lines() {
        println!("  {line}");
    }
}

/// Shows a command, runs it with `tool` and shows what it answered.
pub(crate) fn run(tool: &Tool, command: &str, arguments: &[&str]) -> Result<()> {
    let quoted: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
    typed(&format!("{command} {}", quoted.join(" ")));
    answered(&tool.run(arguments)?);
    Ok(())
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_=./:,@".contains(character);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

fn bold(text: &str) -> String {
    if io::stdout().is_terminal() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}
