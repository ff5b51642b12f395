namespace Puna.Training.Data.Altiplano;

/// <summary>Everything that is traded.</summary>
internal static class Goods
{
    public const int Wool = 0, Cheese = 1, Salt = 2, Potatoes = 3, Bread = 4, Honey = 5, Cloth = 6, Pots = 7, Herbs = 8, Quinoa = 9, Blankets = 10, Fish = 11, Firewood = 12, Ropes = 13, Candles = 14,
        Corn = 15, Eggs = 16, Hats = 17, Beans = 18, Flour = 19, Baskets = 20, Flutes = 21;

    public static readonly Good[] All =
    [
        new("bundle of wool", "bundles of wool", "wool", 5, true),
        new("wheel of cheese", "wheels of cheese", "cheese", 4, true, GoodUse.Food),
        new("bag of salt", "bags of salt", "salt", 2, true, GoodUse.Food),
        new("sack of potatoes", "sacks of potatoes", "potatoes", 3, false, GoodUse.Fodder),
        new("loaf of bread", "loaves of bread", "bread", 1, true, GoodUse.Fodder),
        new("jar of honey", "jars of honey", "honey", 4, true, GoodUse.Food),
        new("roll of cloth", "rolls of cloth", "cloth", 6, true),
        new("clay pot", "clay pots", "pots", 3, false),
        new("bunch of herbs", "bunches of herbs", "herbs", 1, false, GoodUse.Fodder),
        new("sack of quinoa", "sacks of quinoa", "quinoa", 3, true, GoodUse.Fodder),
        new("blanket", "blankets", "blankets", 5, false),
        new("basket of fish", "baskets of fish", "fish", 3, true, GoodUse.Food),
        new("bundle of firewood", "bundles of firewood", "firewood", 1, true),
        new("rope", "ropes", "ropes", 2, false),
        new("candle", "candles", "candles", 1, false),
        new("bag of corn", "bags of corn", "corn", 2, true, GoodUse.Fodder),
        new("egg", "eggs", "eggs", 1, false, GoodUse.Food),
        new("hat", "hats", "hats", 4, false),
        new("bag of beans", "bags of beans", "beans", 2, false, GoodUse.Fodder),
        new("sack of flour", "sacks of flour", "flour", 3, true, GoodUse.Fodder),
        new("basket", "baskets", "baskets", 2, false),
        new("flute", "flutes", "flutes", 3, false),
    ];
}
