"""Dealing introduction points to directories, and who the directories are. Run: cd host && python3 -m unittest"""
import random
import unittest

import dealing

DIRECTORIES = [("d%d" % at, at % 4 < 3) for at in range(8)]
ASKED = [name for name, asked in DIRECTORIES if asked]


def network(chance, backends, relays, each=3):
    """Backends with points on relays of a network of that size."""
    return {"b%d" % at: [("b%d.%d" % (at, number), "r%d" % relay) for number, relay in enumerate(chance.sample(range(relays), each))] for at in backends}


def counts(dealt, names, backends):
    return {each: sum(each in dealt[name] for name in names) for each in backends}


class Dealing(unittest.TestCase):
    def check(self, dealt, backends, most=dealing.MOST_POINTS):
        """What holds always: sizes, one point a backend, no two on one relay."""
        self.assertEqual(set(dealt), {name for name, _ in DIRECTORIES})
        for hand in dealt.values():
            self.assertLessEqual(len(hand), most)
            relays = []
            for backend, key in hand.items():
                relays.append(dict(backends[backend])[key])
            self.assertEqual(len(set(relays)), len(relays), "two points on one relay")

    def fair(self, dealt, backends):
        for names in (ASKED, [name for name, asked in DIRECTORIES if not asked]):
            its = counts(dealt, names, backends).values()
            self.assertLessEqual(max(its) - min(its), 1, sorted(its))

    def test_every_number_of_backends_on_a_large_network(self):
        for number in (*range(11, 62), 90, 119, 120):
            chance = random.Random(number)
            backends = network(chance, range(number), 7000)
            dealt = dealing.deal(DIRECTORIES, backends, {}, str(number))
            self.check(dealt, backends)
            self.fair(dealt, backends)
            its = counts(dealt, ASKED, backends)
            self.assertGreaterEqual(min(its.values()), 1, "a backend that no client is told of")
            self.assertEqual(sum(its.values()), min(6 * number, 120), "room that is left empty")

    def test_above_what_fits_each_directory_is_full_and_nobody_is_there_twice(self):
        backends = network(random.Random(1), range(1000), 7000)
        dealt = dealing.deal(DIRECTORIES, backends, {}, "x")
        self.check(dealt, backends)
        self.assertEqual(max(counts(dealt, ASKED, backends).values()), 1)
        self.assertEqual({len(hand) for hand in dealt.values()}, {20})

    def test_few_relays_are_shared_out_as_far_as_they_go(self):
        for seed in range(30):
            chance = random.Random(seed)
            backends = network(chance, range(chance.randint(11, 60)), 40)
            dealt = dealing.deal(DIRECTORIES, backends, {}, str(seed))
            self.check(dealt, backends)
            its = counts(dealt, ASKED, backends)
            self.assertGreaterEqual(min(its.values()), 1)
            self.assertLessEqual(max(its.values()) - min(its.values()), 2)

    def test_on_six_relays_there_are_six_points(self):
        backends = network(random.Random(2), range(12), 6)
        dealt = dealing.deal(DIRECTORIES, backends, {}, "x")
        self.check(dealt, backends)
        self.assertEqual({len(hand) for hand in dealt.values()}, {6})

    def test_one_that_goes_takes_nothing_but_its_own_places(self):
        for seed in range(20):
            chance = random.Random(seed)
            backends = network(chance, range(chance.randint(12, 80)), 7000)
            before = dealing.deal(DIRECTORIES, backends, {}, "one")
            gone = chance.choice(sorted(backends))
            left = {each: its for each, its in backends.items() if each != gone}
            after = dealing.deal(DIRECTORIES, left, before, "two")
            self.check(after, left)
            self.fair(after, left)
            for name, hand in before.items():
                kept = {each: key for each, key in hand.items() if each != gone}
                self.assertEqual({each: after[name].get(each) for each in kept}, kept, "somebody else moved")

    def test_one_that_comes_takes_one_place_for_each_of_its_own(self):
        for seed in range(20):
            chance = random.Random(seed)
            number = chance.randint(20, 80)
            backends = network(chance, range(number), 7000)
            before = dealing.deal(DIRECTORIES, backends, {}, "one")
            more = {**backends, **network(chance, [number], 7000)}
            after = dealing.deal(DIRECTORIES, more, before, "two")
            self.check(after, more)
            self.fair(after, more)
            lost = sum(len(set(before[name]) - set(after[name])) for name in before)
            self.assertLessEqual(lost, sum("b%d" % number in hand for hand in after.values()))

    def test_a_long_life_of_comings_and_goings(self):
        chance = random.Random(9)
        backends, dealt, number = network(chance, range(30), 7000), {}, 30
        for turn in range(60):
            if chance.random() < 0.5 or len(backends) < 12:
                backends.update(network(chance, range(number, number + 3), 7000))
                number += 3
            else:
                for each in chance.sample(sorted(backends), 2):
                    del backends[each]
            renewed = chance.choice(sorted(backends))
            backends[renewed] = [("%s.%d.%d" % (renewed, turn, at), relay) for at, (_, relay) in enumerate(backends[renewed])]
            dealt = dealing.deal(DIRECTORIES, backends, dealt, str(turn))
            self.check(dealt, backends)
            self.fair(dealt, backends)

    def test_the_same_question_has_the_same_answer_and_another_seed_another(self):
        backends = network(random.Random(3), range(60), 7000)
        deal = lambda seed: dealing.deal(DIRECTORIES, backends, {}, seed)
        self.assertEqual(deal("x"), deal("x"))
        self.assertNotEqual(deal("x"), deal("y"))
        mixed = dict(sorted(backends.items(), reverse=True))
        self.assertEqual(dealing.deal(DIRECTORIES, mixed, {}, "x"), deal("x"))


class Together(unittest.TestCase):
    def test_two_a_backend_never_two_on_a_relay(self):
        for seed in range(50):
            chance = random.Random(seed)
            backends = network(chance, range(chance.randint(1, 10)), chance.choice([6, 9, 40, 7000]))
            chosen = dealing.together(backends)
            self.assertEqual(set(chosen), set(backends), "everybody has one point at least")
            self.assertLessEqual(max(map(len, chosen.values())), 2)
            relays = [dict(backends[each])[key] for each, its in chosen.items() for key in its]
            if len(relays) > len(backends) or len(set(relays)) == len(relays):
                self.assertEqual(len(set(relays)), len(relays))

    def test_a_backend_without_a_relay_of_its_own_is_listed_all_the_same(self):
        self.assertEqual(dealing.together({"a": [("a1", "r")], "b": [("b1", "r")]}), {"a": ["a1"], "b": ["b1"]})

    def test_whoever_can_move_to_another_relay_does(self):
        backends = {"a": [("a1", "r1"), ("a2", "r2")], "b": [("b1", "r1")], "c": [("c2", "r2"), ("c3", "r3")]}
        self.assertEqual({each: its[0] for each, its in dealing.together(backends).items()}, {"a": "a2", "b": "b1", "c": "c3"})

    def test_no_more_than_a_client_takes(self):
        backends = network(random.Random(4), range(12), 7000)
        self.assertEqual(sum(map(len, dealing.together(backends).values())), 20)


class Ring(unittest.TestCase):
    def test_four_after_each_position_around_the_end_nobody_twice(self):
        ring = {at: "n%d" % at for at in range(10, 110, 10)}
        found = dealing.directories_of(ring, [95, 100], 4, 3)
        # rend-spec-v3, 2.2.3: the second replica passes over those of the first
        self.assertEqual(found[:4], [("n100", 1, True), ("n10", 1, True), ("n20", 1, True), ("n30", 1, True)])
        self.assertEqual(found[4:], [("n40", 2, True), ("n50", 2, True), ("n60", 2, False), ("n70", 2, False)])

    def test_clients_ask_the_first_three_of_each(self):
        ring = {at: "n%d" % at for at in range(0, 1000, 10)}
        found = dealing.directories_of(ring, [5, 500], 4, 3)
        self.assertEqual([asked for _, _, asked in found], [True, True, True, False] * 2)

    def test_in_a_small_network_there_are_fewer_and_clients_find_all_that_they_ask(self):
        for size in range(1, 9):
            ring = {at: "n%d" % at for at in range(size)}
            found = dealing.directories_of(ring, [0, 2], 4, 3)
            self.assertEqual(len(found), min(size, 8))
            self.assertEqual(len({name for name, _, _ in found}), len(found))


if __name__ == "__main__":
    unittest.main()
