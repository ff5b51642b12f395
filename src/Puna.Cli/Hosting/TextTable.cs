using System.Text;
using Puna.Tensors;

namespace Puna.Cli.Hosting;

/// <summary>Columns of text, aligned with spaces so that they survive pipes and files. Control characters in cells, which come from files, are replaced.</summary>
/// <param name="rightAligned">Index of the column whose cells are aligned to the right, or -1.</param>
internal sealed class TextTable(int rightAligned = -1)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Number of rows.</summary>
    public int Count => _rows.Count;

    /// <summary>Adds a row; all rows have the same number of cells.</summary>
    public void Add(params string[] cells) => _rows.Add(Array.ConvertAll(cells, PunaException.OneLine));

    /// <summary>Writes the rows.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="indent">Put before each row.</param>
    public void Write(TextWriter output, string indent)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        const int Widest = 60;
        int[] widths = new int[_rows[0].Length];
        foreach (string[] row in _rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Min(Widest, Math.Max(widths[i], row[i].Length));
            }
        }

        var line = new StringBuilder();
        foreach (string[] row in _rows)
        {
            line.Clear().Append(indent);
            for (int i = 0; i < row.Length; i++)
            {
                line.Append(i == 0 ? "" : "  ");
                line.Append(i == rightAligned ? row[i].PadLeft(widths[i]) : i == row.Length - 1 ? row[i] : row[i].PadRight(widths[i]));
            }

            output.Write(line.Append('\n').ToString());
        }
    }
}
