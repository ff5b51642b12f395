namespace Puna.Training.Data.Altiplano;

/// <summary>Names, trades, natures and places that worlds are made of.</summary>
internal static class WorldTables
{
    public static readonly string[] Women =
    [
        "Rosa", "Ana", "Luz", "Nina", "Paula", "Marta", "Elena", "Carmen", "Sara", "Lucia", "Ines", "Clara", "Wayra", "Killa", "Maria", "Julia", "Teresa", "Isabel", "Alba", "Pilar", "Sami", "Nayra",
        "Rita", "Elsa", "Olga", "Dora", "Vera", "Juana", "Lola", "Quena",
    ];

    public static readonly string[] Men =
    [
        "Pedro", "Juan", "Inti", "Tomas", "Luis", "Diego", "Mateo", "Pablo", "Carlos", "Andres", "Felipe", "Hugo", "Simon", "Amaru", "Jorge", "Marco", "Rafael", "Miguel", "Oscar", "Emilio", "Kusi", "Tupac",
        "Raul", "Bruno", "Samuel", "Victor", "Nico", "Lucas", "Martin", "Daniel",
    ];

    public static readonly string[] Llamas =
    [
        "Nube", "Canela", "Bruma", "Nieve", "Luna", "Estrella", "Pepita", "Copo", "Trueno", "Lana", "Mota", "Chispa", "Sombra", "Rayo", "Tinta", "Paja", "Zorro", "Perla", "Cobre", "Brisa", "Miel", "Pluma",
        "Dulce", "Roca", "Lenta", "Flor",
    ];

    public static readonly string[] Colours = ["white", "brown", "black", "grey", "red", "spotted", "golden", "tan"];

    public static readonly string[] Tempers = ["gentle", "stubborn", "shy", "curious", "lazy", "proud", "greedy", "clever", "calm", "playful"];

    public static readonly string[] Villages =
    [
        "Quilla", "Sallani", "Chullpa", "Tarapa", "Huari", "Pampa Alta", "Colcha", "Tola", "Aguada", "Mirasol", "Piedra Blanca", "Sanco", "Uyuma", "Lagunas",
    ];

    public static readonly Trade[] Trades =
    [
        new("herder", "looked after the llamas", Goods.Wool),
        new("herder", "kept a small herd", Goods.Cheese),
        new("weaver", "sat at the loom", Goods.Cloth),
        new("weaver", "wove blankets", Goods.Blankets),
        new("potter", "worked with red clay", Goods.Pots),
        new("baker", "got up in the night to make the dough", Goods.Bread),
        new("farmer", "worked in the fields", Goods.Potatoes),
        new("farmer", "grew quinoa on the slopes", Goods.Quinoa),
        new("salt worker", "dug salt on the white flat", Goods.Salt),
        new("miller", "ground flour at the mill", Goods.Flour),
        new("fisher", "caught fish in the lake", Goods.Fish),
        new("rope maker", "twisted llama wool from morning to night", Goods.Ropes),
        new("beekeeper", "took care of the bees", Goods.Honey),
        new("basket maker", "cut reeds and wove them", Goods.Baskets),
        new("hat maker", "sewed by the window", Goods.Hats),
        new("candle maker", "worked with wax and string", Goods.Candles),
    ];

    public static readonly Trait[] Traits =
    [
        new("careful", "{Before every trip [h] checked each knot twice|[h] never left home without looking at the sky|[h] always tied the gate with two knots}"),
        new("forgetful", "{[h] often forgot where things were|[h] could forget almost anything|If there was something to forget, [h] forgot it}"),
        new("proud", "{[h] did not like to ask for help|[h] always wanted to do everything alone|[h] thought that asking for help was a weak thing to do}"),
        new("brave", "{[h] was not afraid of the dark|[h] had crossed the high pass alone|Even thunder did not frighten [h.o]}"),
        new("curious", "{[h] wanted to know everything|[h] looked behind every stone|[h] asked more questions than anybody else}"),
        new("patient", "{[h] could wait a whole day without a word|[h] never hurried|[h] liked to say that good things take time}"),
        new("impatient", "{[h] could not wait for anything|[h] wanted everything to happen at once|[h] always walked ahead of the others}"),
        new("generous", "{[h] could not see a hungry face without sharing some bread|[h] gave away more than [h.he] kept|[h] always kept a little food for strangers}"),
        new("shy", "{[h] did not talk much|[h] liked llamas better than crowds|[h] spoke so softly that people had to come near}"),
        new("cheerful", "{[h] sang at work|[h] laughed easily|[h] woke up with a song nearly every day}"),
        new("stubborn", "{Once [h] had decided something, nobody could change it|[h] did not like to change [h.his] mind|[h] never gave up easily}"),
        new("clever", "{[h] could count faster than the traders|[h] had an answer for most things|People came to [h.o] when something was broken}"),
    ];

    public static readonly (string Name, string At, Terrain Terrain)[] Places =
    [
        ("the lake", "by", Terrain.Water),
        ("the river", "by", Terrain.Water),
        ("the hot spring", "at", Terrain.Spring),
        ("the high pass", "on", Terrain.Height),
        ("the black hill", "on", Terrain.Height),
        ("the mountain", "on", Terrain.Height),
        ("the salt flat", "on", Terrain.Salt),
        ("the wide plain", "on", Terrain.Plain),
        ("the green valley", "in", Terrain.Plain),
        ("the upper meadow", "in", Terrain.Plain),
        ("the old mill", "at", Terrain.Building),
        ("the stone tower", "at", Terrain.Building),
        ("the empty mine", "at", Terrain.Building),
        ("the small chapel", "at", Terrain.Building),
        ("the big cave", "in", Terrain.Shelter),
        ("the shepherd's hut", "in", Terrain.Shelter),
        ("the ruined house", "in", Terrain.Shelter),
        ("the red rocks", "by", Terrain.Shelter),
    ];

    /// <summary>Kin without a name that children and young people have, and whether female.</summary>
    public static readonly (string Word, bool Female)[] Elders = [("mother", true), ("father", false), ("grandmother", true), ("grandfather", false), ("aunt", true), ("uncle", false)];

    /// <summary>Kin of grown people, beside their wives and husbands.</summary>
    public static readonly (string Word, bool Female)[] Parents = [("mother", true), ("father", false), ("aunt", true), ("uncle", false)];
}
