export const OPENAPI: StaticArray<string> = ["{}"];
