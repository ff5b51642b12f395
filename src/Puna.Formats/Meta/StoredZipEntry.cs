namespace Puna.Formats.Meta;

/// <summary>One uncompressed entry of a zip file.</summary>
/// <param name="Name">Full name, parts separated by <c>/</c>.</param>
/// <param name="Offset">Byte offset of its data in the file.</param>
/// <param name="Length">Bytes of data.</param>
/// <param name="Crc32">Checksum as the central directory has it. Not verified: reading a checkpoint must not touch all of it, and torch can be told to
/// write none.</param>
public sealed record StoredZipEntry(string Name, long Offset, long Length, uint Crc32);
