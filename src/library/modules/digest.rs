//! `_digest`: MD5 and SHA-1, of which `uuid` makes names.

use crate::interp::error::type_error;
use crate::interp::payload::with_bytes;
use crate::library::asyncio::natives;
use crate::source::Symbol;
use crate::value::*;
use md5::Digest;

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("_digest", &[FUNCTIONS])
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "md5" "(data, /)" "The MD5 digest of some bytes." digest::<md5::Md5>;
    Function Plain "sha1" "(data, /)" "The SHA-1 digest of some bytes." digest::<sha1::Sha1>;
};

fn digest<D: Digest>(args: &[Value]) -> Res {
    let digest = with_bytes(&args[0], |data| D::digest(data));
    let digest = digest.ok_or_else(|| type_error("a bytes-like object is required"))?;
    Ok(Ref::new(Bytes(digest.as_slice().into())).into())
}
