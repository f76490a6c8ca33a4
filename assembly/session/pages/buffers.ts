/**
 * Where pages are read, edited and split, one page each. All caches of a virtual machine share these buffers, so a page in
 * one of them is valid until the next use of that buffer.
 */
export const BUFFERS: usize = memory.data(16384, 8);
export const BUFFERS_SIZE: usize = 16384;

/** The page that is edited. */
export const EDITED: usize = BUFFERS;
/** A page that is to be split, or the one that another page was split off. */
export const WHOLE: usize = BUFFERS + 4096;
/** The halves of a page that is split. */
export const LOW: usize = BUFFERS + 8192;
export const HIGH: usize = BUFFERS + 12288;
/** A page that is only looked at. A split does not disturb it: it happens when the edited page is stored, and not before. */
export const ASIDE: usize = LOW;
