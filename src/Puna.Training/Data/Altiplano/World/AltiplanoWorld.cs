namespace Puna.Training.Data.Altiplano;

/// <summary>
/// One small world at one time: a season and its weather, villages and the places between them, people with trades, natures and purses, and what things cost. Everything is drawn
/// from the dice; what depends on something else (weather on the season, prices on weather and season, helpers on the village) follows from it.
/// </summary>
internal sealed class AltiplanoWorld
{
    private readonly Dice _dice;
    private readonly List<string> _taken = [];
    private readonly List<string> _llamaNames = [];
    private readonly List<Place> _places = [];
    private readonly string[] _villages;

    public AltiplanoWorld(Dice dice)
    {
        _dice = dice;
        Season = (Season)dice.Below(4);
        Weather = Draw(Season);
        _villages = [.. WorldTables.Villages];
        dice.Shuffle(_villages.AsSpan());
        Home = new Place(_villages[0], "in", Terrain.Village);
        Market = new Place(_villages[1], "in", Terrain.Village) { Hours = dice.Between(2, 7) };
        foreach ((string name, string at, Terrain terrain) in WorldTables.Places)
        {
            _places.Add(new Place(name, at, terrain) { Hours = dice.Between(1, 6) });
        }
    }

    public Season Season { get; }

    public Weather Weather { get; set; }

    /// <summary>The village of the hero.</summary>
    public Place Home { get; }

    /// <summary>The village with a market.</summary>
    public Place Market { get; }

    /// <summary>What a good costs at the market today: dear where the season does not give it.</summary>
    public int PriceOf(Good good)
    {
        int price = good.Price;
        if (Season == Season.Winter && good.Kind is "potatoes" or "corn" or "beans" or "firewood" or "blankets")
        {
            price += 2;
        }

        if (Weather == Weather.Rain && good.Kind is "salt" or "firewood")
        {
            price++;
        }

        return price;
    }

    /// <summary>Somebody new, with a name nobody else has.</summary>
    public Person Somebody(Age? age = null, bool? female = null)
    {
        bool woman = female ?? _dice.Chance(50);
        string name;
        do
        {
            name = _dice.Pick<string>(woman ? WorldTables.Women : WorldTables.Men);
        }
        while (_taken.Contains(name));

        _taken.Add(name);
        int roll = _dice.Below(100);
        return new Person
        {
            Name = name,
            Female = woman,
            Age = age ?? (roll < 35 ? Age.Child : roll < 60 ? Age.Young : roll < 85 ? Age.Grown : Age.Old),
            Trade = _dice.Pick<Trade>(WorldTables.Trades),
            Trait = _dice.Pick<Trait>(WorldTables.Traits),
            Village = Home.Name,
            Coins = _dice.Between(3, 20),
        };
    }

    /// <summary>A llama with a name no other llama has.</summary>
    public Llama SomeLlama(string? temper = null)
    {
        string name;
        do
        {
            name = _dice.Pick<string>(WorldTables.Llamas);
        }
        while (_llamaNames.Contains(name));

        _llamaNames.Add(name);
        return new Llama { Name = name, Colour = _dice.Pick<string>(WorldTables.Colours), Temper = temper ?? _dice.Pick<string>(WorldTables.Tempers) };
    }

    /// <summary>A place of one of these kinds that was not given out yet.</summary>
    public Place SomePlace(params ReadOnlySpan<Terrain> kinds)
    {
        while (true)
        {
            Place place = _places[_dice.Below(_places.Count)];
            if (kinds.Length == 0 || kinds.Contains(place.Terrain))
            {
                if (_places.Count > 4)
                {
                    _places.Remove(place);
                }

                return place;
            }
        }
    }

    private Weather Draw(Season season) => season switch
    {
        Season.Rainy => _dice.Pick(Weather.Rain, Weather.Rain, Weather.Cloud, Weather.Thunder, Weather.Fog, Weather.Sun),
        Season.Winter => _dice.Pick(Weather.Snow, Weather.Frost, Weather.Wind, Weather.Sun, Weather.Fog, Weather.Cloud),
        Season.Spring => _dice.Pick(Weather.Sun, Weather.Wind, Weather.Rain, Weather.Cloud, Weather.Sun),
        _ => _dice.Pick(Weather.Sun, Weather.Wind, Weather.Cloud, Weather.Fog, Weather.Frost),
    };
}
