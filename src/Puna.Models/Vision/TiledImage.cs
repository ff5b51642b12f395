namespace Puna.Models.Vision;

/// <summary>A picture as a vision encoder is given it.</summary>
/// <param name="Grid">Its layout; a thumbnail is not counted.</param>
/// <param name="Side">Pixels of a tile's side.</param>
/// <param name="Tiles">Number of tiles, a thumbnail included.</param>
/// <param name="Pixels">The tiles, row by row, a thumbnail last: <c>[tiles, 3, side, side]</c> float32.</param>
public sealed record TiledImage(TileGrid Grid, int Side, int Tiles, float[] Pixels);
