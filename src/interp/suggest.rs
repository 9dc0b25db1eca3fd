//! "Did you mean": the known name nearest to a misspelt one.

/// Among more names than these, or for a longer one, nothing is suggested, as in CPython.
const MOST_NAMES: usize = 750;
const LONGEST: usize = 40;

/// The closest of the names, if any is close enough to be meant
/// (about a third of the letters may differ, as in CPython's suggestions).
pub fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let names: Vec<&str> = names.take(MOST_NAMES + 1).collect();
    if names.len() > MOST_NAMES || wrong.chars().count() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        if name == wrong || (name.starts_with("__") && !wrong.starts_with("__")) {
            continue;
        }
        let limit = (name.chars().count() + wrong.chars().count() + 3) * MOVE / 6;
        let distance = distance(wrong, name);
        if distance <= limit && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The name that has the same letters in another order, if it is the only one: in short words two letters that
/// changed places are too many for [`closest`].
pub fn swapped<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let wanted = letters(wrong);
    let mut same =
        names.filter(|name| name.len() == wrong.len() && *name != wrong && letters(name) == wanted);
    let found = same.next()?;
    same.next().is_none().then_some(found)
}

/// `. Did you mean 'NAME'?`, if one of the names may be meant.
pub fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    closest(wrong, names).map_or(String::new(), |name| format!(". Did you mean '{name}'?"))
}

/// What inserting, deleting or replacing a letter costs; changing only its case costs half.
const MOVE: usize = 2;

/// The edit distance of two words.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(40).collect();
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).map(|i| i * MOVE).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = (i + 1) * MOVE;
        for (j, y) in b.iter().enumerate() {
            let replace = match x == y {
                true => 0,
                false if x.eq_ignore_ascii_case(y) => MOVE / 2,
                false => MOVE,
            };
            let next = (corner + replace).min(row[j] + MOVE).min(row[j + 1] + MOVE);
            corner = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, swapped};

    #[test]
    fn the_nearest_name_is_meant() {
        assert_eq!(
            closest("prnt", ["print", "int", "input"].into_iter()),
            Some("print")
        );
        assert_eq!(closest("sleeep", ["sleep", "spawn"].into_iter()), Some("sleep"));
        assert_eq!(closest("zebra", ["sleep", "spawn"].into_iter()), None);
        assert_eq!(swapped("nmae", ["age", "name"].into_iter()), Some("name"));
    }
}
