using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>Numbers names in the order in which they are met.</summary>
internal sealed class NameTable(string what, int most)
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    public int Count => _names.Count;

    public string this[int number] => _names[number];

    public int NumberOf(string name)
    {
        if (!_numbers.TryGetValue(name, out int number))
        {
            number = _names.Count < most ? _names.Count : throw new PunaException($"{what} {name}: expected at most {most} different ones, got one more");
            _numbers[name] = number;
            _names.Add(name);
        }

        return number;
    }
}
