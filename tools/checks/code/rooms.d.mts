export const ROOMS: { room: string; holds: string; imports: string[] }[];
