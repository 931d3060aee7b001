//! What stands below a prefix of a directory store: its objects, and what was left unfinished.

use std::fs::{self, DirEntry};
use std::io;

use super::root::{Root, is_absence, object, unfinished_key};
use crate::replace;
use crate::store::{Key, Object, StoreError};

/// The objects whose keys begin with `prefix`, by key.
pub(super) fn list(root: &Root, prefix: &str) -> Result<Vec<Object>, StoreError> {
    let mut objects = Vec::new();
    let walked = walk(root, prefix, &mut |folder, name, entry| {
        if let Ok(key) = Key::new(format!("{folder}{name}"))
            && key.as_str().starts_with(prefix)
        {
            objects.push(object(key, &entry.metadata()?));
        }
        Ok(())
    });
    walked.map_err(|error| root.error(prefix, "listed", error))?;
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(objects)
}

/// Removes the unfinished files of keys that begin with `prefix` and whose writers are dead.
pub(super) fn remove_abandoned(root: &Root, prefix: &str) -> Result<u64, StoreError> {
    let mut num_removed = 0;
    let walked = walk(root, prefix, &mut |folder, name, entry| {
        if let Some(key) = unfinished_key(folder, name)
            && key.as_str().starts_with(prefix)
            && replace::remove_abandoned(&entry.path())?
        {
            num_removed += 1;
            root.remove_empty_folders(&key);
        }
        Ok(())
    });
    walked.map_err(|error| root.error(prefix, "cleared of unfinished files", error))?;
    Ok(num_removed)
}

/// Shows `visit` every file in the folders that can hold keys with `prefix`: its folder, which is empty or
/// ends in `/`, its name and its entry. What vanishes meanwhile is passed over, and so are symbolic links.
fn walk(
    root: &Root,
    prefix: &str,
    visit: &mut dyn FnMut(&str, &str, &DirEntry) -> io::Result<()>,
) -> io::Result<()> {
    let mut folders = match prefix.rsplit_once('/') {
        None => vec![String::new()],
        Some((folder, _)) => match Key::new(folder) {
            Ok(key) if root.file(&key).is_ok() => vec![format!("{folder}/")],
            // No key begins so, and it might lead out of the root.
            _ => return Ok(()),
        },
    };
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(root.path().join(&folder)) {
            Err(error) if is_absence(&error) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let Some(name) = name.to_str() else {
                continue;
            };
            if kind.is_dir() && Key::new(name).is_ok() {
                folders.push(format!("{folder}{name}/"));
            } else if kind.is_file() {
                match visit(&folder, name, &entry) {
                    Err(error) if is_absence(&error) => {}
                    visited => visited?,
                }
            }
        }
    }
    Ok(())
}
