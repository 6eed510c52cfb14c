//! Made-up values in the place of what identifies people: the same for the same value, told by nobody without the key,
//! which is thrown away after the run.

use std::io::Read as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Makes them.
#[derive(Clone)]
pub(crate) struct Pseudonyms {
    key: [u8; 32],
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// With a random key.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub(crate) fn random() -> anyhow::Result<Self> {
        let mut key = [0; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self { key })
    }

    /// With this key.
    #[cfg(test)]
    pub(super) const fn keyed(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A name, a company, a city: a word that can be spoken.
    pub(super) fn name(&self, text: &str) -> String {
        let word = self.word("name", &text.trim().to_lowercase());
        word[..1].to_uppercase() + &word[1..]
    }

    /// An e-mail, however it is written. What is none stays none.
    pub(super) fn email(&self, text: &str) -> String {
        let text = text.trim().to_lowercase();
        let word = self.word("email", &text);
        if text.contains('@') { format!("{word}@example.com") } else { word }
    }

    /// A phone, however it is written, in a country code that nobody has.
    pub(super) fn phone(&self, text: &str) -> String {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        format!("+999{:012}", self.number("phone", &digits) % 1_000_000_000_000)
    }

    /// A street with its number.
    pub(super) fn street(&self, text: &str) -> String {
        let text = text.trim().to_lowercase();
        format!("{} {}", self.name(&text), self.number("street", &text) % 99 + 1)
    }

    /// What a parcel is followed by.
    pub(super) fn tracking_number(&self, text: &str) -> String {
        format!("X{:014}", self.number("tracking", text.trim()) % 100_000_000_000_000)
    }

    /// Where it is followed.
    pub(super) fn link(&self, text: &str) -> String {
        format!("https://example.com/{}", self.word("link", text))
    }

    fn digest(&self, kind: &str, text: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn number(&self, kind: &str, text: &str) -> u64 {
        let digest = self.digest(kind, text);
        digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Five syllables: among a hundred thousand values hardly two have one word.
    fn word(&self, kind: &str, text: &str) -> String {
        const CONSONANTS: &[u8; 20] = b"bcdfghjklmnprstvwxyz";
        const VOWELS: &[u8; 5] = b"aeiou";
        let mut number = self.number(kind, text);
        let mut word = String::with_capacity(10);
        for _ in 0..5 {
            word.push(char::from(CONSONANTS[(number % 20) as usize]));
            word.push(char::from(VOWELS[(number / 20 % 5) as usize]));
            number /= 100;
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::Pseudonyms;

    #[test]
    fn a_value_has_one_pseudonym_however_it_is_written_and_another_in_the_next_run() {
        let (one, two) = (Pseudonyms::keyed([1; 32]), Pseudonyms::keyed([2; 32]));
        assert_eq!(one.email("ada@example.org"), one.email(" ADA@example.org"));
        assert_eq!(one.phone("+43 1 5550101"), one.phone("+43 (1) 555-0101"));
        assert_eq!(one.name("Lind"), one.name("LIND "));
        assert_ne!(one.email("ada@example.org"), one.email("bob@example.org"));
        assert_ne!(one.email("ada@example.org"), two.email("ada@example.org"));
    }

    #[test]
    fn pseudonyms_have_the_shape_of_what_they_replace() {
        let pseudonyms = Pseudonyms::keyed([7; 32]);
        assert!(pseudonyms.email("ada@example.org").ends_with("@example.com"));
        assert!(!pseudonyms.email("no e-mail").contains('@'), "what no system takes is not made acceptable");
        let phone = pseudonyms.phone("01 5550101");
        assert_eq!((&phone[..4], phone.len()), ("+999", 16));
    }

    #[test]
    fn a_hundred_thousand_people_keep_apart() {
        let pseudonyms = Pseudonyms::keyed([3; 32]);
        let emails: std::collections::HashSet<String> =
            (0..100_000).map(|n| pseudonyms.email(&format!("p{n}@example.org"))).collect();
        assert!(emails.len() > 99_990, "{}", emails.len());
    }
}
