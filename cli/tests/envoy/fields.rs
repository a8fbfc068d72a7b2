//! Header fields as they are compared: all values of each name, as text.

use std::collections::BTreeMap;

pub type Fields = BTreeMap<String, Vec<String>>;

pub fn fields<N: AsRef<[u8]>, V: AsRef<[u8]>>(all: impl IntoIterator<Item = (N, V)>) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in all {
        let name = String::from_utf8_lossy(name.as_ref()).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value.as_ref().trim_ascii()).into_owned();
        fields.entry(name).or_default().push(value);
    }
    fields
}
